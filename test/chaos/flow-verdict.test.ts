import { describe, expect, it } from "vitest";
import type { FlowBatch } from "../../chaos/flow-load.ts";
import { judgeFlows } from "../../chaos/flow-verdict.ts";
import type { OutboxMessage } from "../../simulator/outbox.ts";
import type { RequestRecord } from "../../simulator/request-log.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import type { RowResult } from "../../src/batches/row-result.ts";
import { noRows, type RowState } from "../../src/batches/row-state.ts";

const [MOBILE, AADHAAR] = ["9000000001", "273687879000"];

/** One row as it came out, and what the provider saw of it. */
function verdict(
  state: RowState,
  given: {
    readonly flow?: string;
    readonly attempts?: number;
    readonly committed?: readonly RequestRecord["committed"][];
    readonly otps?: number;
    readonly counts?: Partial<BatchView["counts"]>;
    readonly view?: Partial<BatchView> | null;
    readonly results?: number;
  } = {},
): string[] {
  const { flow = "eko.mobile", attempts = 2, committed = ["otp-sent", "verified"], otps = 1, results = 1 } = given;
  const batch: FlowBatch = { ownId: "chaos-0", flow, rows: [], id: "b000000001" };
  batch.rows.push({ batch, row: 1, mobile: MOBILE, aadhaar: AADHAAR, answers: "at once" });
  const counts = given.counts ?? { [state]: 1 };
  const view = { state: "finished", ended_at: "2026-11-27T06:00:00.000Z", counts: { ...noRows(), ...counts } };
  const outcome = {
    batch,
    view: given.view === null ? null : ({ ...view, ...given.view } as BatchView),
    results: Array.from({ length: results }, () => ({ row: 1, state, attempts, reason: null }) as RowResult),
  };
  const requests = committed.map((one) => ({ person: MOBILE, committed: one }) as RequestRecord);
  const outbox = Array.from({ length: otps }, () => ({ to: AADHAAR }) as OutboxMessage);
  return judgeFlows({ outcomes: [outcome], requests, outbox }).map(({ rule }) => rule);
}

describe("the verdict on rows that run flows", () => {
  it("finds nothing where each says what the provider did", () => {
    expect(verdict("succeeded")).toEqual([]);
    expect(verdict("unknown")).toEqual([]);
    expect(verdict("unknown", { committed: ["otp-sent"] })).toEqual([]);
    expect(verdict("expired", { committed: ["otp-sent"] })).toEqual([]);
    expect(verdict("succeeded", { flow: "deepvue.aadhaar", otps: 2, attempts: 3 })).toEqual([]);
  });

  it("tells a row that is lost, miscounted, called or asked twice, or that says what is not so", () => {
    expect(verdict("succeeded", { results: 0, counts: {} })).toEqual(["lost"]);
    expect(verdict("succeeded", { view: null })).toContain("lost");
    expect(verdict("succeeded", { view: { state: "running" } })).toContain("lost");
    expect(verdict("succeeded", { counts: { failed: 1 } })).toEqual(["miscounted"]);
    expect(verdict("succeeded", { attempts: 1 })).toEqual(["called twice"]);
    expect(verdict("succeeded", { otps: 2, attempts: 3 })).toEqual(["asked twice"]);
    expect(verdict("succeeded", { committed: ["otp-sent"] })).toEqual(["untrue"]);
    for (const state of ["rejected", "failed", "expired", "cancelled"] as const)
      expect(verdict(state)).toEqual(["untrue"]);
  });
});
