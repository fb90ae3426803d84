import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../../src/operations/catalogue.ts";
import { FLOWS } from "../../../src/flows/flows.ts";
import { ONBOARDING_STATES } from "../../../src/flows/onboarding.ts";
import { OUTCOME_KINDS } from "../../../src/outcomes/outcome.ts";
import { DEEPVUE_SUB_CODES } from "../../../src/providers/deepvue/codes.ts";
import { EKO_STATUS_IDS, EKO_TYPE_IDS } from "../../../src/providers/eko/codes.ts";
import { TERMINAL_STATES } from "../../../src/outcomes/state.ts";
import { LANES } from "../../../src/outcomes/lane.ts";
import { type FinishedCall, Metrics } from "../../../src/telemetry/metrics.ts";
import { samplesOf } from "../../support/exposition.ts";

const CALL: FinishedCall = {
  ...{ provider: "eko", operation: "eko.mobile-otp", outcome: "rejected", http_status: "2xx" },
  ...{ response_status_id: "302", response_type_id: "309", seconds: 0.2 },
};
const SERIES =
  'satyapan_calls_total{provider="eko",operation="eko.mobile-otp",outcome="rejected",response_status_id="302",response_type_id="309",http_status="2xx"}';

function setup() {
  const clock = { ms: 0 };
  const metrics = new Metrics(new Registry(), () => clock.ms);
  metrics.startAtZero(OPERATIONS);
  for (const { name } of FLOWS) metrics.persons.beginOnboardings(name, ONBOARDING_STATES);
  const scrape = async (): Promise<Map<string, number>> => {
    clock.ms += 15_000;
    return samplesOf(await metrics.page());
  };
  return { clock, metrics, scrape };
}

describe("a call with a reply that was never seen before", () => {
  it("is shown as 0 once, so that Prometheus sees it as a rise, and counts from the next scrape on", async () => {
    const { metrics, scrape } = setup();
    expect((await scrape()).get(SERIES)).toBeUndefined();
    metrics.callFinished(CALL);
    metrics.callFinished(CALL);
    expect((await scrape()).get(SERIES)).toBe(0);
    expect((await scrape()).get(SERIES)).toBe(2);
    metrics.callFinished(CALL);
    expect((await scrape()).get(SERIES)).toBe(3);
  });

  it("is counted at once where nobody scrapes regularly: whoever looks once sees it", async () => {
    const { clock, metrics, scrape } = setup();
    metrics.callFinished(CALL);
    expect((await scrape()).get(SERIES)).toBe(1);
    clock.ms += 600_000;
    metrics.callFinished({ ...CALL, response_status_id: "303" });
    expect((await scrape()).get(SERIES.replace("302", "303"))).toBe(1);
  });
});

describe("the series of a scrape", () => {
  it("are there at 0 for every operation, outcome, state and lane before anything happened", async () => {
    const samples = await setup().scrape();
    for (const { name, provider } of OPERATIONS) {
      for (const outcome of OUTCOME_KINDS) {
        const labels = `provider="${provider}",operation="${name}",outcome="${outcome}",response_status_id="none",response_type_id="none",http_status="none"`;
        expect(samples.get(`satyapan_calls_total{${labels}}`), labels).toBe(0);
      }
      for (const state of TERMINAL_STATES) {
        for (const lane of LANES) {
          const labels = `operation="${name}",state="${state}",lane="${lane}"`;
          expect(samples.get(`satyapan_jobs_settled_total{${labels}}`), labels).toBe(0);
        }
      }
    }
  });

  it("are fewer than 2,000 after every operation, outcome, HTTP status and pair of ids has come", async () => {
    const { metrics, scrape } = setup();
    await scrape();
    const calls = everyCall();
    expect(calls.length).toBeGreaterThan(100_000);
    for (const call of calls) metrics.callFinished(call);
    await scrape();
    const samples = await scrape();
    const counted = Array.from(samples).filter(([name]) => name.startsWith("satyapan_calls_total"));
    expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBe(calls.length);
    // Left for gauges of queues, batches, persons and Redis (about 190) and for process_* and nodejs_* (about 60).
    expect(samples.size).toBeLessThan(1_750);
  });
});

function everyCall(): FinishedCall[] {
  return OPERATIONS.flatMap(({ provider, name: operation }) => {
    const [statuses, types] =
      provider === "eko" ? [[...EKO_STATUS_IDS], [...EKO_TYPE_IDS]] : [[...DEEPVUE_SUB_CODES], []];
    const ids = [...statuses, "other", "none"].flatMap((status) =>
      [...types, "other", "none"].map((type) => [String(status), String(type)] as const),
    );
    return OUTCOME_KINDS.flatMap((outcome) =>
      (["none", "2xx", "4xx", "5xx"] as const).flatMap((http_status) =>
        ids.map(([response_status_id, response_type_id]): FinishedCall => ({
          ...{ provider, operation, outcome, http_status, response_status_id, response_type_id, seconds: 1 },
        })),
      ),
    );
  });
}
