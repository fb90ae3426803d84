import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { stringify } from "yaml";
import { dashboardJson, DASHBOARDS } from "../../deploy/grafana/dashboards.ts";
import { fillIn } from "../../deploy/grafana/render/prometheus.ts";
import { ALERTS } from "../../deploy/prometheus/rules.ts";
import { BATCH_STATES } from "../../src/batches/batch-state.ts";
import { OUTCOME_KINDS } from "../../src/outcomes/outcome.ts";
import { TERMINAL_STATES } from "../../src/outcomes/state.ts";
import { CHALLENGE_EVENTS } from "../../src/telemetry/person-metrics.ts";
import { readText, ROOT } from "./compose-file.ts";
import { CONTRACT, family, labelsOf, METRICS } from "./metrics-contract.ts";
import { parsePromql } from "./promql.ts";
import { promtool } from "./promtool.ts";

/** Labels that Prometheus adds, and such that a query makes. */
const OF_PROMETHEUS = ["job", "instance", "alertname", "alertstate", "severity"];
/** What Prometheus itself measures, and what it has of alerts. */
const PROMETHEUS_OWN = ["up", "ALERTS", "ALERTS_FOR_STATE"];
const MADE_HERE = ["provider", "what"];

const ALL = Object.entries(DASHBOARDS);
const queries = ALL.flatMap(([dashboard, { panels }]) =>
  panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr, legendFormat }) => ({
      name: `${dashboard}, ${title} ${refId}`,
      expr: fillIn(expr, "1h", "1m"),
      legendFormat,
    })),
  ),
);

function expression(title: string, index = 0): string {
  const found = DASHBOARDS["satyapan-overview"]?.panels.find((panel) => panel.title === title && panel.type !== "row");
  if (found === undefined) throw new Error(`no panel ${title}`);
  return fillIn(found.targets?.[index]?.expr ?? "", "1h", "1m");
}

describe.each(ALL)("the dashboard %s", (name, dashboard) => {
  const { panels } = dashboard;

  it("is what `npm run dashboards` writes", () => {
    expect(readText(`deploy/grafana/dashboards/${name}.json`)).toBe(dashboardJson(dashboard));
    expect(dashboard.uid).toBe(name);
  });

  it("numbers its panels and places none on top of another or beyond the 24 columns", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken, title).not.toContain(`${x},${y}`);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  it("says of each panel what it shows and in which unit, and links only to dashboards that there are", () => {
    for (const panel of panels.filter(({ type }) => type !== "row")) {
      expect(panel.description?.length ?? 0, panel.title).toBeGreaterThan(15);
      expect(panel, panel.title).toMatchObject({ fieldConfig: { defaults: { unit: expect.any(String) as string } } });
      for (const [, uid = ""] of JSON.stringify(panel).matchAll(/"\/d\/([a-z-]+)\?/g))
        expect(DASHBOARDS).toHaveProperty(uid);
    }
  });

  it("leaves nothing to fill in but the variables that it has", () => {
    const names = dashboard.templating.list.map((variable) => variable.name);
    for (const { targets = [] } of panels) {
      for (const { expr } of targets) {
        const used = Array.from(expr.matchAll(/\$([a-z_]\w*)/g), ([, variable = ""]) => variable);
        const own = used.filter((variable) => !variable.startsWith("__"));
        for (const variable of own) expect(names).toContain(variable);
        expect(fillIn(expr, "1h", "1m")).not.toMatch(/\$[a-z_]/);
      }
    }
  });
});

describe("the dashboards' queries", () => {
  it.each(queries)("$name: PromQL over metrics and labels that workers have", ({ expr, legendFormat }) => {
    const { metrics, labels, exact, resultLabels } = parsePromql(expr);
    const ours = metrics.filter((metric) => !PROMETHEUS_OWN.includes(metric));
    for (const metric of ours) expect(Object.keys(METRICS)).toContain(family(metric));
    const known = [...OF_PROMETHEUS, ...MADE_HERE, ...ours.flatMap(labelsOf)];
    for (const label of labels) expect(known).toContain(label);
    for (const { label, value } of exact) {
      if (label === "outcome") expect(OUTCOME_KINDS).toContain(value);
      if (label === "state") expect([...TERMINAL_STATES, ...BATCH_STATES]).toContain(value);
      if (label === "event") expect(CHALLENGE_EVENTS).toContain(value);
    }
    for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      expect(resultLabels.length === 0 ? [...known, "what"] : [...resultLabels, "provider"]).toContain(label);
    }
    expect(expr).not.toMatch(/\bunless\b|\boffset\b/);
  });

  it("would not pass with a label that a metric does not have, or with no PromQL (so the test does check)", () => {
    expect(labelsOf("satyapan_job_pickup_seconds_bucket")).not.toContain("operation");
    expect(() => parsePromql("sum by (outcome (satyapan_calls_total)")).toThrow(/no PromQL at/);
    expect(parsePromql('sum by (a) (rate(b{c="d"}[5m]))')).toEqual({
      metrics: ["b"],
      labels: ["a", "c"],
      exact: [{ label: "c", value: "d" }],
      resultLabels: ["a"],
    });
  });

  it("and the rules between them show every metric of ours", () => {
    const exprs = [...queries.map(({ expr }) => expr), ...ALERTS.map(({ expr }) => expr)];
    const shown = new Set(exprs.flatMap((expr) => parsePromql(expr).metrics.map(family)));
    const own = Object.keys(METRICS).filter((name) => name.startsWith("satyapan_"));
    expect(own.filter((name) => !shown.has(name))).toEqual([]);
    for (const name of Object.keys(CONTRACT)) expect(shown).toContain(name);
  });

  it.each(ALERTS)("are of what $name tells, where it leads to", ({ expr, dashboard, runbook }) => {
    const shown = queries.filter(({ name }) => name.startsWith(`${dashboard}, `));
    const told = new Set(parsePromql(expr).metrics.map(family));
    expect(shown.some((query) => parsePromql(query.expr).metrics.some((metric) => told.has(family(metric))))).toBe(
      true,
    );
    const titles = ALL.flatMap(([, { panels }]) => panels.map(({ title }) => title));
    for (const [, panel = ""] of runbook.over.matchAll(/\*([^*]+)\*/g)) expect(titles).toContain(panel);
  });

  it("join gauges that all workers report alike instead of adding them up", () => {
    const alike = Object.entries(METRICS).filter(([, { help }]) => help.includes("join by max"));
    expect(alike.length).toBeGreaterThan(10);
    for (const { name, expr } of queries) {
      for (const [metric] of alike.filter(([each]) => expr.includes(`${each}{`))) {
        expect(expr, name).toMatch(new RegExp(`max( by \\([^)]*\\))? ?\\((rate\\(|predict_linear\\()?${metric}`));
      }
    }
  });
});

/** Runs queries over made-up series with promtool: `expected` lists what comes out, as `{labels} value`. */
async function evaluate(
  context: TestContext,
  series: Readonly<Record<string, string>>,
  expr: string,
  expected: readonly { readonly labels: string; readonly value: number }[],
  rules: readonly string[] = [],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "satyapan-promtool-"));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const test = {
    interval: "15s",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    // Rounded, because Prometheus 2 and 3 extrapolate a little differently.
    promql_expr_test: [{ expr: `round(${expr}, 1e-6)`, eval_time: "90m", exp_samples: expected }],
  };
  const file = join(folder, "expressions.yml");
  await writeFile(file, stringify({ rule_files: rules, evaluation_interval: "15s", tests: [test] }));
  expect(await promtool(context, "test", "rules", file)).toContain("SUCCESS");
}

function callSeries(outcome: string, statusId: string, typeId: string): string {
  const labels = `provider="eko",operation="eko.mobile-otp",outcome="${outcome}"`;
  return `satyapan_calls_total{${labels},response_status_id="${statusId}",response_type_id="${typeId}"}`;
}

function row(statusId: string, typeId: string): string {
  return `{operation="eko.mobile-otp",response_status_id="${statusId}",response_type_id="${typeId}"}`;
}

it("the overview names each alert that fires, and since when its cause is there", async (context) => {
  const rules = [fileURLToPath(new URL("deploy/prometheus/rules.yml", ROOT))];
  // Another policy from the 240th scrape on, which is an hour; looked at half an hour later.
  const up = { 'up{job="worker",instance="a"}': "1x400" };
  const series = { ...up, satyapan_redis_noeviction: "1x239 0x120" };
  const labels = '{alertname="SatyapanRedisEvicts",severity="page"}';
  await evaluate(context, series, expression("Alerts that fire"), [{ labels, value: 1_800 }], rules);
  await evaluate(context, up, expression("Alerts that fire"), [], rules);
});

describe("success by response_status_id, as Prometheus works it out", () => {
  // 4 scrapes a minute; the time range is the hour from 0:30 to 1:30, so from the 120th scrape to the 360th.
  const series = {
    [callSeries("succeeded", "0", "321")]: "1000+0.25x360", // older than the range: 60 in it
    [callSeries("succeeded", "1", "2129")]: "_x130 0 30x229",
    [callSeries("rejected", "1", "302")]: "_x130 0 10x229",
    [callSeries("unknown", "none", "none")]: "0x340 1x20", // came once
  };

  it("gives each id its share, 0 % where nothing succeeded, and sees an outcome that came once", async (context) => {
    await evaluate(context, series, expression("Success by response_status_id"), [
      { labels: '{provider="eko",response_status_id="0"}', value: 1 },
      { labels: '{provider="eko",response_status_id="1"}', value: 0.75 },
      { labels: '{provider="eko",response_status_id="none"}', value: 0 },
    ]);
  });

  it("tells, per operation, the failures of an id from its successes by response_type_id", async (context) => {
    const title = "Success by operation and response_status_id";
    await evaluate(context, series, expression(title, 0), [
      { labels: row("0", "321"), value: 60 },
      { labels: row("1", "2129"), value: 30 },
      { labels: row("1", "302"), value: 10 },
      { labels: row("none", "none"), value: 1 },
    ]);
    await evaluate(context, series, expression(title, 1), [
      { labels: row("0", "321"), value: 1 },
      { labels: row("1", "2129"), value: 1 },
      { labels: row("1", "302"), value: 0 },
      { labels: row("none", "none"), value: 0 },
    ]);
  });

  it("is no fault of ours or theirs where a person was rejected", async (context) => {
    await evaluate(context, series, expression("Calls without fault"), [{ labels: "{}", value: 0.990099 }]); // 100 of 101
  });

  it("says nothing, instead of 0 %, where nothing was called", async (context) => {
    await evaluate(context, {}, expression("Calls without fault"), []);
    await evaluate(context, {}, expression("Jobs unknown"), []);
  });
});
