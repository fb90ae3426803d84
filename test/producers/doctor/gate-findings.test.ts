import { describe, expect, it } from "vitest";
import { worstFirst } from "../../../producers/doctor/finding.ts";
import { gateFindings, type ProviderFacts } from "../../../producers/doctor/gate-findings.ts";
import type { GateState } from "../../../src/limits/control.ts";

const NOW = Date.UTC(2026, 0, 15, 10);
const GATE: GateState = {
  ...{ now: NOW, quota: [{ max: 10, ms: 1_000 }], quotaSetByHand: false, windows: [{ max: 10, ms: 1_000, used: 0 }] },
  ...{ quotaFreeAt: 0, fullWindow: null, factor: 1, factorWorked: 1, pausedUntil: null, holds: [], breaker: null },
  ...{ calls: { inFlight: 0, limit: 6 }, queuePause: null, broken: null, lost: null, confirmedAt: null },
};
const PRINT = { EKO_QUOTA: "10/1s", EKO_ACCESS_KEY: "a" };

/** Of a provider for which all is well, differing from that as given: `status check: detail`. */
function found(
  { gate = {}, ...facts }: Partial<Omit<ProviderFacts, "gate">> & { gate?: Partial<GateState> } = {},
  elsewhere = 0,
) {
  const all: ProviderFacts = {
    ...{ provider: "eko", workers: 2, waiting: 0, unknown: 0 },
    ...{ prints: [PRINT, PRINT], own: PRINT },
    ...facts,
    gate: { ...GATE, ...gate },
  };
  const findings = gateFindings(all, elsewhere);
  return findings.map(({ status, check, detail }) => `${status} ${check}: ${detail}`);
}

const hold = { reason: "credentials refused (403)", since: NOW - 60_000, probeAt: NOW + 60_000 };

describe("what satyapan doctor finds between jobs and a provider", () => {
  it("is one line where nothing is wrong", () => {
    expect(found()).toEqual(["ok eko jobs: 2 workers take them; nothing holds them back"]);
  });

  it("is a hold, of the credential or of one agent, with how to lift it", () => {
    expect(found({ gate: { holds: [{ ...hold, scope: null }] } })).toEqual([
      "failed eko hold: held: credentials refused (403), since 2026-01-15T09:59:00.000Z (1m ago). One job tries again at 2026-01-15T10:01:00.000Z (in 1m); `satyapan provider resume eko` lifts it at once",
    ]);
    expect(found({ gate: { holds: [{ ...hold, scope: "user_code:default" }] } })).toEqual([
      expect.stringMatching(
        /^warning eko hold: held: .+`satyapan provider resume eko --scope user_code:default` lifts/,
      ),
    ]);
  });

  it("is an open breaker, one that closes slowly, a pause after 429s, and a lowered share", () => {
    const breaker = { state: "open", since: NOW - 30_000, nextAt: NOW + 5_000 } as const;
    expect(found({ gate: { breaker } })).toEqual([
      "failed eko breaker: breaker: the provider is out of order, since 2026-01-15T09:59:30.000Z (30s ago). One job tries at 2026-01-15T10:00:05.000Z (in 5s)",
    ]);
    expect(found({ gate: { breaker: { ...breaker, state: "ramp" } } })).toEqual([
      expect.stringMatching(/^warning eko breaker: breaker: resuming slowly after an outage/),
    ]);
    expect(found({ gate: { pausedUntil: NOW + 4_000, factor: 0.25 } })).toEqual([
      "warning eko pause: throttled: the provider's rate limit was reached (429); calls resume at 2026-01-15T10:00:04.000Z (in 4s)",
      "warning eko share: only 25 % of the quota is used since the last 429s; it rises while calls go well, and `satyapan provider resume eko` lifts it at once",
    ]);
  });

  it("is a queue that is paused in BullMQ", () => {
    expect(found({ gate: { queuePause: { since: NOW - 60_000, exact: true } } })).toEqual([
      "failed eko queue: the queue is paused in BullMQ since 2026-01-15T09:59:00.000Z (1m ago), by another tool, and no worker takes its jobs; `satyapan provider resume eko` resumes it",
    ]);
  });

  it("is a quota that is not there, or 0", () => {
    expect(found({ waiting: 3, gate: { quota: [], windows: [] } })).toEqual([
      "failed eko quota: there is none in Redis, though 2 workers run and 3 jobs wait: start a worker again, or `satyapan quota set eko …`",
    ]);
    const zero = { quota: [{ max: 0, ms: 1_000 }], windows: [{ max: 0, ms: 1_000, used: 0 }] };
    expect(found({ gate: { ...zero, quotaSetByHand: true } })).toEqual([
      "warning eko quota: it is 0: every call is held, until `satyapan quota reset eko`",
    ]);
  });

  it("is that no worker runs: a failure where jobs wait", () => {
    expect(found({ workers: 0, prints: [], waiting: 7 })).toEqual([
      "failed eko workers: none is running, and 7 jobs wait: start one with `satyapan worker`",
    ]);
    expect(found({ workers: 0, prints: [] })).toEqual([
      "warning eko workers: none is running: start one with `satyapan worker`",
    ]);
  });

  it("is that those that run serve another provider", () => {
    expect(found({ workers: 0, prints: [], waiting: 7 }, 1)).toEqual([
      "failed eko workers: those that run lack the EKO_ settings, and 7 jobs wait: give one the EKO_ settings",
    ]);
    expect(found({ workers: 0, prints: [] }, 1)).toEqual([
      "warning eko workers: those that run lack the EKO_ settings: give one the EKO_ settings",
    ]);
  });

  it("is workers that differ from each other, or from the settings here", () => {
    expect(found({ prints: [PRINT, { ...PRINT, EKO_QUOTA: "5/1s" }] })).toEqual([
      "warning eko workers: they run with different EKO_QUOTA: give all of them the same; the one that started last set the quota",
    ]);
    expect(found({ own: { ...PRINT, EKO_ACCESS_KEY: "b" } })).toEqual([
      "warning eko workers: they run with another EKO_ACCESS_KEY than is set here",
    ]);
  });

  it("is a quota that is used up for long, not one of seconds", () => {
    const day = { max: 20, ms: 86_400_000 };
    const gate = { quota: [day], windows: [{ ...day, used: 20 }], fullWindow: day };
    expect(found({ gate: { ...gate, quotaFreeAt: NOW + 7_200_000 } })).toEqual([
      expect.stringMatching(/^warning eko quota: quota: 20\/1d .*2026-01-15T12:00:00\.000Z/),
    ]);
    expect(found({ gate: { ...gate, quotaFreeAt: NOW + 20_000 } })).toHaveLength(1);
    expect(found({ gate: { ...gate, quotaFreeAt: NOW + 20_000 } })[0]).toMatch(/^ok/);
  });

  it("is unknown jobs, and how to see them", () => {
    expect(found({ unknown: 1 })).toEqual([
      "warning eko unknown: 1 job is unknown (`satyapan unknown list`): whether the call happened is for you to say, `satyapan settle ID succeeded|rejected|resend --reason TEXT`",
    ]);
    expect(found({ unknown: 12 })).toEqual([expect.stringContaining("12 jobs are unknown (")]);
  });

  it("stands worst first, and otherwise in its order", () => {
    const all = (["ok", "warning", "skipped", "failed", "warning"] as const).map((status, index) => ({
      ...{ check: String(index), status, detail: "" },
    }));
    expect(worstFirst(all).map(({ check }) => check)).toEqual(["3", "1", "4", "0", "2"]);
  });
});
