import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { DATASOURCE } from "../../deploy/grafana/panel.ts";
import { readText, service } from "./compose-file.ts";
import { DashboardsFile, DatasourcesFile } from "./grafana-provisioning.ts";

describe("Prometheus and Grafana in docker-compose.yml", () => {
  const prometheus = z
    .looseObject({ global: z.looseObject({ scrape_interval: z.string() }) })
    .parse(parse(readText("deploy/prometheus/prometheus.yml")));

  it("scrape every replica of the worker where it serves its metrics", () => {
    expect(prometheus).toMatchObject({
      scrape_configs: [{ dns_sd_configs: [{ names: ["worker"], type: "A", port: 9464 }] }],
    });
    expect(service("worker").environment["METRICS_PORT"]).toBe("9464");
    expect(service("worker").environment["METRICS_HOST"]).toBe("0.0.0.0");
    for (const name of ["worker", "prometheus", "grafana"]) expect(service(name).networks).toContain("metrics");
  });

  it("provision the data source that the dashboard uses, with Prometheus' own scrape interval", () => {
    const datasources = DatasourcesFile.parse(
      parse(readText("deploy/grafana/provisioning/datasources/prometheus.yml")),
    );
    expect(datasources).toMatchObject({
      datasources: [
        {
          ...DATASOURCE,
          url: "http://prometheus:9090",
          jsonData: { timeInterval: prometheus.global.scrape_interval },
        },
      ],
    });
  });

  it("provision the dashboard from the folder that is mounted", () => {
    const provider = DashboardsFile.parse(parse(readText("deploy/grafana/provisioning/dashboards/satyapan.yml")));
    expect(provider).toMatchObject({ providers: [{ type: "file", options: { path: "/etc/grafana/dashboards" } }] });
    expect(service("grafana").volumes).toContain("./deploy/grafana/dashboards:/etc/grafana/dashboards:ro");
  });

  it("would not pass with a name or a value that Grafana does not know (so the test does check)", () => {
    const provider = { name: "a", options: { path: "/etc/grafana/dashboards" } };
    expect(DashboardsFile.safeParse({ apiVersion: 1, providers: [provider] }).success).toBe(true);
    for (const more of [{ allowUIUpdates: false }, { updateIntervalSeconds: "30s" }, { options: { folder: "/a" } }]) {
      expect(DashboardsFile.safeParse({ apiVersion: 1, providers: [{ ...provider, ...more }] }).success).toBe(false);
    }
    const source = { name: "a", type: "prometheus", access: "proxy" };
    expect(DatasourcesFile.safeParse({ apiVersion: 1, datasources: [source] }).success).toBe(true);
    for (const more of [{ access: "server" }, { jsonData: { scrapeInterval: "15s" } }, { default: true }]) {
      expect(DatasourcesFile.safeParse({ apiVersion: 1, datasources: [{ ...source, ...more }] }).success).toBe(false);
    }
  });

  it("let nobody log in to Grafana", () => {
    expect(service("grafana").environment).toMatchObject({
      GF_AUTH_ANONYMOUS_ORG_ROLE: "Viewer",
      GF_AUTH_DISABLE_LOGIN_FORM: "true",
      GF_AUTH_BASIC_ENABLED: "false",
    });
  });
});
