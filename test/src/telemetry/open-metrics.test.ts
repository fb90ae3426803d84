import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../../src/operations/catalogue.ts";
import { type FinishedCall, Metrics } from "../../../src/telemetry/metrics.ts";
import { toOpenMetrics } from "../../../src/telemetry/open-metrics.ts";
import { samplesOf } from "../../support/exposition.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALL: FinishedCall = {
  ...{ provider: "eko", operation: "eko.mobile-otp", outcome: "succeeded", http_status: "2xx" },
  ...{ response_status_id: "0", response_type_id: "1623", seconds: 0.3 },
};
const BUCKET = 'satyapan_call_duration_seconds_bucket{le="LE",provider="eko",operation="eko.mobile-otp"}';

function setup() {
  const metrics = new Metrics(new Registry());
  metrics.startAtZero(OPERATIONS);
  const open = async (): Promise<string[]> => metrics.asOpenMetrics(await metrics.page()).split("\n");
  const bucket = async (le: string): Promise<string | undefined> =>
    (await open()).find((line) => line.startsWith(BUCKET.replace("LE", le)));
  return { metrics, open, bucket };
}

describe("a page as OpenMetrics", () => {
  it("names a counter's family without _total, quotes, leaves no line empty, and says where it ends", () => {
    const text = [
      ...['# HELP a_total Said "so".', "# TYPE a_total counter", 'a_total{x="y"} 1', ""],
      ...["# HELP b_total No counter.", "# TYPE b_total gauge", "b_total 2", ""],
    ].join("\n");
    expect(toOpenMetrics(text, () => null)).toBe(
      [
        ...[String.raw`# HELP a Said \"so\".`, "# TYPE a counter", 'a_total{x="y"} 1'],
        ...["# HELP b_total No counter.", "# TYPE b_total gauge", "b_total 2", "# EOF", ""],
      ].join("\n"),
    );
  });

  it("has at each bucket the newest call that fell into it and whose trace is kept, and the series of the text", async () => {
    const { metrics, bucket, open } = setup();
    metrics.callFinished(CALL, { traceId: "1".repeat(32), at: 1_800_000_000_000 });
    metrics.callFinished({ ...CALL, seconds: 0.4 }, { traceId: TRACE, at: 1_800_000_000_250 });
    metrics.callFinished({ ...CALL, seconds: 0.45 });
    metrics.callFinished({ ...CALL, seconds: 31 }, { traceId: "2".repeat(32), at: 1_800_000_000_500 });
    expect(await bucket("0.25")).toBe(`${BUCKET.replace("LE", "0.25")} 0`);
    expect(await bucket("0.5")).toBe(`${BUCKET.replace("LE", "0.5")} 3 # {trace_id="${TRACE}"} 0.4 1800000000.25`);
    expect(await bucket("1")).toBe(`${BUCKET.replace("LE", "1")} 3`);
    expect(await bucket("+Inf")).toContain(` 4 # {trace_id="${"2".repeat(32)}"} 31 1800000000.5`);
    const page = await metrics.page();
    expect(page).not.toContain(TRACE);
    const without = (await open()).map((line) => line.replace(/ # \{.*$/, "")).join("\n");
    expect([...samplesOf(without).keys()]).toEqual([...samplesOf(page).keys()]);
  });
});
