import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { stringify } from "yaml";
import { DASHBOARD, dashboardJson } from "../../deploy/grafana/dashboard.ts";
import type { Panel } from "../../deploy/grafana/panel.ts";
import { OUTCOME_KINDS } from "../../src/outcomes/outcome.ts";
import { TERMINAL_STATES } from "../../src/outcomes/state.ts";
import { readText } from "./compose-file.ts";
import { CONTRACT, family, labelsOf, METRICS } from "./metrics-contract.ts";
import { fillIn, parsePromql } from "./promql.ts";
import { promtool } from "./promtool.ts";

const { panels } = DASHBOARD;
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ refId, expr, legendFormat }) => ({ name: `${title} ${refId}`, expr: fillIn(expr), legendFormat })),
);

function panel(title: string): Panel {
  const found = panels.find((candidate) => candidate.title === title && candidate.type !== "row");
  if (found === undefined) throw new Error(`no panel ${title}`);
  return found;
}

function expression(title: string, index = 0): string {
  return fillIn(panel(title).targets?.[index]?.expr ?? "");
}

describe("the dashboard's file", () => {
  it("is what `node deploy/grafana/dashboard.ts` prints", () => {
    expect(readText("deploy/grafana/dashboards/satyapan.json")).toBe(dashboardJson());
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
});

describe("the dashboard's queries", () => {
  it.each(queries)("$name: PromQL over metrics and labels of design §6", ({ expr, legendFormat }) => {
    const { metrics, labels, exact, resultLabels } = parsePromql(expr);
    for (const metric of metrics) expect(Object.keys(METRICS)).toContain(family(metric));
    for (const label of labels) expect(metrics.flatMap(labelsOf)).toContain(label);
    for (const { label, value } of exact) {
      expect<readonly string[]>(label === "outcome" ? OUTCOME_KINDS : TERMINAL_STATES).toContain(value);
    }
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(resultLabels).toContain(label);
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

  it("show every metric of the contract", () => {
    const shown = new Set(queries.flatMap(({ expr }) => parsePromql(expr).metrics.map(family)));
    for (const name of Object.keys(CONTRACT)) expect(shown).toContain(name);
  });

  it("leave nothing to fill in but the variables that the dashboard has", () => {
    const names = DASHBOARD.templating.list.map(({ name }) => name);
    expect(names).toEqual(["provider", "operation"]);
    for (const { expr } of queries) expect(expr).not.toContain("$");
  });

  it("join gauges that all workers report alike instead of adding them up", () => {
    const gauges =
      /satyapan_(queue_jobs|queue_oldest_waiting_seconds|quota_used_ratio|provider_held|privacy_findings)\{/;
    for (const { expr } of queries.filter((query) => gauges.test(query.expr)))
      expect(expr).toMatch(/\bmax( by |\s*\()/);
  });
});

/** Runs queries over made-up series with promtool: `expected` lists what comes out, as `{labels} value`. */
async function evaluate(
  context: TestContext,
  series: Readonly<Record<string, string>>,
  expr: string,
  expected: readonly { readonly labels: string; readonly value: number }[],
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
  await writeFile(file, stringify({ rule_files: [], evaluation_interval: "15s", tests: [test] }));
  expect(await promtool(context, "test", "rules", file)).toContain("SUCCESS");
}

function callSeries(outcome: string, statusId: string, typeId: string): string {
  const labels = `provider="eko",operation="eko.mobile-otp",outcome="${outcome}"`;
  return `satyapan_calls_total{${labels},response_status_id="${statusId}",response_type_id="${typeId}"}`;
}

function row(statusId: string, typeId: string): string {
  return `{operation="eko.mobile-otp",response_status_id="${statusId}",response_type_id="${typeId}"}`;
}

describe("success by response_status_id, as Prometheus works it out", () => {
  // 4 scrapes a minute; the time range is the hour from 0:30 to 1:30, so from the 120th scrape to the 360th.
  const series = {
    [callSeries("succeeded", "0", "321")]: "1000+0.25x360", // older than the range: 60 in it
    [callSeries("succeeded", "1", "2129")]: "_x130 30x230",
    [callSeries("rejected", "1", "302")]: "_x130 10x230",
    [callSeries("unknown", "none", "none")]: "_x340 1x20", // came once
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

  it("adds up to the share of all calls", async (context) => {
    await evaluate(context, series, expression("Calls succeeded"), [{ labels: "{}", value: 0.891089 }]); // 90 of 101
  });

  it("says nothing, instead of 0 %, where nothing was called", async (context) => {
    await evaluate(context, {}, expression("Calls succeeded"), []);
    await evaluate(context, {}, expression("Jobs unknown"), [{ labels: "{}", value: 0 }]);
  });
});
