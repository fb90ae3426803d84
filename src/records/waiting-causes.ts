import { WAIT_CAUSES, type WaitCause } from "../outcomes/wait-cause.ts";
import { isTerminal, type JobState } from "../outcomes/state.ts";
import { bullmqPrefix, isOurJob, jobIdOf, type QueueName, recordKey } from "../queues/names.ts";
import { parseTicket } from "../queues/ticket.ts";
import { TicketLists } from "../queues/ticket-lists.ts";
import type { RedisClient } from "../redis/connection.ts";
import { spreadSample } from "./spread-sample.ts";
import { repliesOf } from "../redis/replies.ts";

/** Of those that are put away so many are looked at, spread over all; the others are taken to wait for the same causes. */
const LOOKED_AT = 200;

/** Why entries that are put away until their time wait: how many for each cause. A ticket waits for what its first job does. */
export async function waitingCauses(redis: RedisClient, queue: QueueName): Promise<Map<WaitCause | "other", number>> {
  const delayed = `${bullmqPrefix(queue)}delayed`;
  const count = await redis.zcard(delayed);
  const { members: entries, each } = await spreadSample(redis, delayed, { first: 0, count, most: LOOKED_AT });
  const jobs = await Promise.all(entries.map(async (entry) => await jobOf(redis, queue, entry)));
  const pipeline = redis.pipeline();
  for (const id of jobs) pipeline.hmget(recordKey(queue, id ?? ""), "state", "cause");
  const found = new Map<WaitCause | "other", number>();
  for (const fields of await repliesOf(pipeline, [])) {
    const cause = causeOf(fields as (string | null)[]);
    found.set(cause, (found.get(cause) ?? 0) + 1);
  }
  return new Map([...found].map(([cause, times]) => [cause, Math.round(times * each)]));
}

/** Null: it carries no job that is known. */
async function jobOf(redis: RedisClient, queue: QueueName, entry: string): Promise<string | null> {
  if (isOurJob(entry)) return jobIdOf(entry);
  if (parseTicket(entry) === null) return null;
  const list = await new TicketLists(redis, queue).read(entry);
  return list?.ids[0] ?? null;
}

/** One whose record says nothing was put away when a step of it failed, and is tried again. */
function causeOf([state = null, stored]: readonly (string | null)[]): WaitCause | "other" {
  const cause = WAIT_CAUSES.find((one) => one === stored);
  if (cause !== undefined) return cause;
  return state === null || isTerminal(state as JobState) ? "other" : "backoff";
}
