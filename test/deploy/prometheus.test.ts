import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { readText, ROOT } from "./compose-file.ts";
import { family, labelsOf, METRICS } from "./metrics-contract.ts";
import { parsePromql } from "./promql.ts";
import { promtool } from "./promtool.ts";

const Rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(["page", "ticket"]) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});
const alerts = Rules.parse(parse(readText("deploy/prometheus/rules.yml"))).groups.flatMap(({ rules }) => rules);
/** What Prometheus itself knows of a target. */
const OF_TARGETS = { up: ["job", "instance"] } as const;

function path(name: string): string {
  return fileURLToPath(new URL(`deploy/prometheus/${name}`, ROOT));
}

describe("the alert rules", () => {
  it.each(alerts.map(({ alert, expr }) => [alert, expr]))(
    "%s reads only metrics and labels of design §6",
    (_, expr) => {
      const { metrics, labels } = parsePromql(expr);
      for (const metric of metrics) expect(["up", ...Object.keys(METRICS)]).toContain(family(metric));
      const known = metrics.flatMap((metric) => (metric === "up" ? OF_TARGETS.up : labelsOf(metric)));
      for (const label of labels) expect(known).toContain(label);
    },
  );

  it("each have a test that sees them fire", () => {
    const Tests = z.object({
      tests: z.array(
        z.object({
          alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) })),
        }),
      ),
    });
    const { tests } = Tests.parse(parse(readText("deploy/prometheus/rules.test.yml")));
    const fired = tests
      .flatMap((test) => test.alert_rule_test)
      .filter((test) => test.exp_alerts.length > 0)
      .map((test) => test.alertname);
    expect([...new Set(fired)].toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });

  it("are accepted by promtool", async (context) => {
    const output = await promtool(context, "check", "rules", path("rules.yml"));
    expect(output).toContain(`SUCCESS: ${alerts.length} rules found`);
  });

  it("fire when they should and not before (promtool test rules)", async (context) => {
    expect(await promtool(context, "test", "rules", path("rules.test.yml"))).toContain("SUCCESS");
  });
});

describe("prometheus.yml", () => {
  it("is accepted by promtool", async (context) => {
    const output = await promtool(context, "check", "config", "--syntax-only", path("prometheus.yml"));
    expect(output).toContain("SUCCESS");
  });
});
