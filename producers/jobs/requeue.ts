import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { QueuedJob } from "../../src/queues/job-options.ts";
import type { QueueName } from "../../src/queues/names.ts";
import type { JobQueues } from "../../src/queues/job-queues.ts";

/** The longest a decision may take, in ms: a worker that takes the job sooner finds it settled, and drops it. */
const DECISION_MS = 1_000;

/** A worker ends a job in its queue a round trip after it ended the record. One that died keeps its job for much longer. */
const ENDING_MS = 2_000;
const LOOK_MS = 20;

/**
 * Puts settled jobs back into their queue, not before `delayMs`, around the decision that opens their records again. Queued
 * first and decided then: a crash in between leaves an entry that a worker drops, never an open record that nobody takes.
 */
export async function requeue<T>(
  queues: JobQueues,
  queue: QueueName,
  jobs: readonly QueuedJob[],
  delayMs: number,
  decide: () => Promise<T>,
): Promise<T> {
  const ids = jobs.map(({ id }) => id);
  await lastRunEnded(queues, queue, ids);
  await queues.add(queue, jobs, Math.max(delayMs, DECISION_MS));
  const answer = await decide();
  const missing = new Set(await queues.missing(queue, ids));
  const again = jobs.filter(({ id }) => missing.has(id));
  if (again.length > 0) await queues.add(queue, again, delayMs);
  return answer;
}

/** Puts a job that is due into line, by an entry of its own: of which it gets one where a ticket carries it, and which then takes it over. */
export async function bringForward(queues: JobQueues, queue: QueueName, job: QueuedJob): Promise<void> {
  // Whoever tried it last puts it away a round trip after its record says so.
  await lastRunEnded(queues, queue, [job.id]);
  await queues.add(queue, [job]);
  await queues.promote(queue, [job.id]);
}

/** BullMQ takes a job that is still in a worker's hands for the new one, and removes both when the worker is done. */
async function lastRunEnded(queues: JobQueues, queue: QueueName, ids: readonly string[]): Promise<void> {
  for (let waited = 0; waited < ENDING_MS; waited += LOOK_MS) {
    const active = await queues.active(queue);
    if (!ids.some((id) => active.has(id))) return;
    await sleep(LOOK_MS);
  }
}

/** Its input was kept for `RESULT_RETENTION`, or as long as its OTP lived, and is gone (design §4 rule 1). */
export function inputDestroyed(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.BAD_INPUT,
    `job ${id} cannot be tried again: its input is no longer kept, or cannot be read (RESULT_RETENTION; an OTP goes with its deadline); submit a new job`,
  );
}
