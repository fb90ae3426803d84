import type { OutboxMessage } from "../simulator/outbox.ts";
import type { RequestRecord } from "../simulator/request-log.ts";
import type { BatchView } from "../src/batches/batch.ts";
import { hasEnded } from "../src/batches/batch-state.ts";
import type { RowResult } from "../src/batches/row-result.ts";
import { ROW_STATES, totalOf } from "../src/batches/row-state.ts";
import type { FlowBatch, FlowRow } from "./flow-load.ts";
import type { Violation } from "./verdict.ts";

/** What must never happen to a row of a file, however often processes die. */
export const FLOW_RULES = {
  lost: "an accepted row without a result, or that has not ended",
  miscounted: "a batch whose counts are not those of its rows",
  "called twice": "more calls for a row than it says it made",
  "asked twice": "a person was sent more OTPs than one, though none was in doubt",
  untrue: "a row's state says something else than the provider did",
} as const;

/** A batch as it came out. */
export interface FlowOutcome {
  readonly batch: FlowBatch;
  readonly view: BatchView | null;
  readonly results: readonly RowResult[];
}

export interface FlowEvidence {
  readonly outcomes: readonly FlowOutcome[];
  readonly requests: readonly RequestRecord[];
  readonly outbox: readonly OutboxMessage[];
}

/** Calls whose person nobody knows were cut off before anything of them could be read. */
export function judgeFlows({ outcomes, requests, outbox }: FlowEvidence): Violation[] {
  const calls = Map.groupBy(requests, ({ person }) => person ?? "");
  const sent = Map.groupBy(outbox, ({ to }) => to);
  return outcomes.flatMap(({ batch, view, results }) => [
    ...judgeBatch(batch, view, results),
    ...batch.rows.flatMap((person) => {
      const result = results[person.row - 1];
      const numbers = [person.mobile, person.aadhaar];
      return result === undefined
        ? []
        : judgeRow(
            person,
            result,
            numbers.flatMap((number) => calls.get(number) ?? []),
            numbers.flatMap((number) => sent.get(number) ?? []).length,
          );
    }),
  ]);
}

function judgeBatch(batch: FlowBatch, view: BatchView | null, results: readonly RowResult[]): Violation[] {
  const where = batch.id ?? batch.ownId;
  if (view === null || !hasEnded(view.state) || view.ended_at === null)
    return [{ rule: "lost", where, what: `the batch is ${view?.state ?? "not there"}` }];
  const told = ROW_STATES.filter((state) => view.counts[state] !== results.filter((row) => row.state === state).length);
  const isWhole = results.length === batch.rows.length && totalOf(view.counts) === batch.rows.length;
  return [
    ...(isWhole ? [] : [{ rule: "lost", where, what: `${results.length} of ${batch.rows.length} rows` } as const]),
    ...(told.length === 0 ? [] : [{ rule: "miscounted", where, what: told.join(", ") } as const]),
  ];
}

function judgeRow(
  { batch, row }: FlowRow,
  { state, attempts, reason }: RowResult,
  calls: readonly RequestRecord[],
  otps: number,
): Violation[] {
  const where = `${batch.id}-${row}`;
  const found: Violation[] = [];
  if (calls.length > attempts) {
    found.push({ rule: "called twice", where, what: `${calls.length} calls of ${attempts} attempts; ${state}` });
  }
  // Deepvue's send is repeated once after a doubt, when its cooldown is over.
  const mostOtps = batch.flow === "deepvue.aadhaar" ? 2 : 1;
  if (otps > mostOtps) found.push({ rule: "asked twice", where, what: `${otps} OTPs; ${state}` });
  const isVerified = calls.some(({ committed }) => committed === "verified");
  const denies = state === "rejected" || state === "failed" || state === "expired" || state === "cancelled";
  if (state === "succeeded" && !isVerified) found.push({ rule: "untrue", where, what: "succeeded, and not verified" });
  if (denies && isVerified) found.push({ rule: "untrue", where, what: `${state} (${reason}), and verified` });
  return found;
}
