import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { LazyConnections } from "../base/client-connections.ts";
import { unknownJob } from "./find-job.ts";
import { readRecords } from "./read-records.ts";

export interface WaitOptions {
  /** Default 60 s. */
  readonly timeoutMs?: number;
  /** Aborted, it ends the waiting as if the time were up. */
  readonly signal?: AbortSignal;
}

/** A settled message can be lost with a connection, so the record is also read this often, in ms. */
const LOOK_MS = 2_000;
const DEFAULT_WAIT_MS = 60_000;

/** Resolves with the record once the job is settled. Throws SatyapanError `wait-timeout` or `unknown-job`. */
export async function waitFor(
  connections: LazyConnections,
  now: () => number,
  id: string,
  { timeoutMs = DEFAULT_WAIT_MS, signal }: WaitOptions,
): Promise<JobRecord> {
  const { listener } = await connections.connect();
  await connections.use(async () => await listener.subscribe());
  const deadline = now() + timeoutMs;
  let wake = (): void => {};
  const wakeUp = (): void => wake();
  const stop = listener.listen(id, wakeUp);
  signal?.addEventListener("abort", wakeUp);
  try {
    for (;;) {
      // Before the record is read, so that what happens meanwhile is not missed.
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const [record = null] = await connections.use(async (opened) => await readRecords(opened, [id]));
      if (record === null) throw unknownJob(id);
      if (isTerminal(record.state)) return record;
      const left = deadline - now();
      if (!(left > 0) || signal?.aborted === true) throw stillOpen(record);
      const timer = setTimeout(wakeUp, Math.min(left, LOOK_MS));
      await woken;
      clearTimeout(timer);
    }
  } finally {
    stop();
    signal?.removeEventListener("abort", wakeUp);
  }
}

function stillOpen({ id, state }: JobRecord): SatyapanError {
  return new SatyapanError(ErrorCode.WAIT_TIMEOUT, `job ${id} is still ${state}`);
}
