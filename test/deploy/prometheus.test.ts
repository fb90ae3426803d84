import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { parse, stringify } from "yaml";
import { ALERTS, rulesYaml, runbookName, runbooks } from "../../deploy/prometheus/rules.ts";
import { COMMANDS } from "../../bin/commands.ts";
import { ALERT_CASES, type AlertCase } from "./alert-cases.ts";
import { readText, ROOT } from "./compose-file.ts";
import { family, labelsOf, METRICS } from "./metrics-contract.ts";
import { parsePromql } from "./promql.ts";
import { promtool } from "./promtool.ts";

/** What Prometheus itself knows of a target. */
const OF_TARGETS = ["job", "instance"];

function path(name: string): string {
  return fileURLToPath(new URL(`deploy/prometheus/${name}`, ROOT));
}

function takesHours(at: string): boolean {
  return at.endsWith("h") || at.length > 3;
}

async function testRules(
  context: TestContext,
  cases: readonly AlertCase[],
  evaluation_interval: string,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "satyapan-alerts-"));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const tests = cases.map(({ alert, when, series, at, fires }) => ({
    name: `${alert}: ${when}`,
    interval: "15s",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="Satyapan${alert}",alertstate="firing"}) or vector(0)`,
        eval_time: at,
        exp_samples: [{ labels: "{}", value: fires }],
      },
    ],
  }));
  const file = join(folder, "alerts.yml");
  await writeFile(file, stringify({ rule_files: [path("rules.yml")], evaluation_interval, tests }));
  expect(await promtool(context, "test", "rules", file)).toContain("SUCCESS");
}

describe("the alert rules", () => {
  it("are what `node deploy/prometheus/rules.ts` writes, and so are the runbooks", () => {
    expect(readText("deploy/prometheus/rules.yml")).toBe(rulesYaml());
    for (const [file, text] of runbooks()) expect(readText(`docs/runbooks/${file}`), file).toBe(text);
  });

  it.each(ALERTS.map(({ name, expr }) => [name, expr]))(
    "%s reads only metrics and labels that workers have",
    (_, expr) => {
      const { metrics, labels } = parsePromql(expr);
      for (const metric of metrics) expect(["up", ...Object.keys(METRICS)]).toContain(family(metric));
      const known = [...OF_TARGETS, "provider", ...metrics.filter((metric) => metric !== "up").flatMap(labelsOf)];
      for (const label of labels) expect(known).toContain(label);
      expect(expr).not.toMatch(/\bunless\b|\boffset\b/);
    },
  );

  it("each have a case in which they fire, and one in which they are silent", () => {
    const names = ALERTS.map(({ name }) => name).toSorted();
    for (const fires of [true, false]) {
      const cases = ALERT_CASES.filter((one) => one.fires > 0 === fires).map(({ alert }) => alert);
      expect([...new Set(cases)].toSorted()).toEqual(names);
    }
  });

  it("fire when they should, as often as they should, and not otherwise (promtool test rules)", async (context) => {
    await testRules(
      context,
      ALERT_CASES.filter(({ at }) => !takesHours(at)),
      "15s",
    );
  });

  it("do so where it takes hours; they are looked at less often, or it would take minutes", async (context) => {
    await testRules(
      context,
      ALERT_CASES.filter(({ at }) => takesHours(at)),
      "5m",
    );
  });

  it("are accepted by promtool", async (context) => {
    const output = await promtool(context, "check", "rules", path("rules.yml"));
    expect(output).toContain(`SUCCESS: ${ALERTS.length} rules found`);
  });
});

describe("a runbook", () => {
  it.each(ALERTS.map((alert) => [alert.name, alert] as const))(
    "of %s names commands that there are",
    (_, { runbook }) => {
      const names = new Set(COMMANDS.map(({ name }) => name));
      const text = [...runbook.look, ...runbook.mend, runbook.over].join("\n");
      for (const [, name = ""] of text.matchAll(/\bsatyapan ([a-z]+)/g)) expect(names).toContain(name);
    },
  );

  it("is there for every alert, and for nothing else", () => {
    expect([...runbooks().keys()].toSorted()).toEqual([...new Set(ALERTS.map(runbookName))].toSorted());
  });
});

describe("prometheus.yml", () => {
  it("is accepted by promtool", async (context) => {
    const output = await promtool(context, "check", "config", "--syntax-only", path("prometheus.yml"));
    expect(output).toContain("SUCCESS");
  });

  it("says where dashboards and runbooks are, which the alerts' links begin with, and keeps it out of their labels", () => {
    expect(parse(readText("deploy/prometheus/prometheus.yml"))).toMatchObject({
      global: { external_labels: { grafana: expect.any(String) as string, runbooks: expect.any(String) as string } },
      alerting: { alert_relabel_configs: [{ regex: "grafana|runbooks", action: "labeldrop" }] },
    });
  });
});
