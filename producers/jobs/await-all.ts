import { setTimeout as sleep } from "node:timers/promises";
import type { JobRecord } from "../../src/records/record.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { Client } from "../client.ts";
import type { Patience } from "../patience.ts";

export interface AwaitAllOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Goes on looking for as long as it bears what passes. */
  readonly patience: Patience;
  readonly now: () => number;
  /** Called when more jobs have settled, with how many. */
  readonly onSettled?: (count: number) => void;
}

// Often enough for a live display; each look reads only what is still open, in one round trip per queue and 500 records.
const LOOK_MS = 250;

/** The records of many jobs once all are settled, or as they stand when the time is up or `signal` aborts. */
export async function awaitAll(
  client: Client,
  submitted: readonly JobRecord[],
  { timeoutMs, signal, patience, now, onSettled }: AwaitAllOptions,
): Promise<JobRecord[]> {
  const deadline = now() + timeoutMs;
  const records = new Map(submitted.map((record) => [record.id, record]));
  for (;;) {
    const open = [...records.values()].filter(({ state }) => !isTerminal(state)).map(({ id }) => id);
    const found = await patience
      .run(async () => await client.getMany(open))
      .catch((error: unknown) => {
        if (signal.aborted) return [];
        throw error;
      });
    for (const record of found) if (record !== null) records.set(record.id, keepMark(record, records));
    const settled = [...records.values()].filter(({ state }) => isTerminal(state)).length;
    onSettled?.(settled);
    if (settled === records.size || now() >= deadline || signal.aborted) return [...records.values()];
    await sleep(Math.min(LOOK_MS, Math.max(1, deadline - now())), undefined, { signal }).catch(() => {});
  }
}

function keepMark(record: JobRecord, before: ReadonlyMap<string, JobRecord>): JobRecord {
  const { duplicate, reused } = before.get(record.id) ?? {};
  return { ...record, ...(duplicate === true ? { duplicate } : {}), ...(reused === true ? { reused } : {}) };
}
