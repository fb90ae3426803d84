import { isTerminal } from "../outcomes/state.ts";
import type { JobState } from "../outcomes/state.ts";
import type { RedisClient } from "../redis/connection.ts";
import { type QueueName, recordKey } from "../queues/names.ts";
import { recordPages } from "./record-pages.ts";
import { repliesOf } from "../redis/replies.ts";

/** Keys of all kinds looked at in one round trip. */
const PAGE = 1_000;

/** Of these jobs those that are not settled and are carried by this ticket, in one round trip. */
export async function stillCarried(
  redis: RedisClient,
  queue: QueueName,
  ticket: string,
  ids: readonly string[],
): Promise<string[]> {
  const found = await carriers(redis, queue, ids);
  return ids.filter((_, index) => found[index] === ticket);
}

/** A job, and the ticket that carries it. */
export interface CarriedJob {
  readonly id: string;
  readonly ticket: string;
}

/**
 * The jobs that are not settled and are carried by these tickets, of whose lists nothing is known: all records are looked
 * through, some hundred in each page, and a page may well have none.
 */
export async function* jobsOfTickets(
  redis: RedisClient,
  queue: QueueName,
  tickets: ReadonlySet<string>,
): AsyncGenerator<readonly CarriedJob[], void, void> {
  for await (const ids of recordPages(redis, queue, PAGE)) {
    const found = await carriers(redis, queue, ids);
    yield ids.flatMap((id, index) => {
      const ticket = found[index] ?? null;
      return ticket !== null && tickets.has(ticket) ? [{ id, ticket }] : [];
    });
  }
}

/** The ticket of each that is not settled; null of others, and of what is no record. */
async function carriers(redis: RedisClient, queue: QueueName, ids: readonly string[]): Promise<(string | null)[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hmget(recordKey(queue, id), "state", "ticket");
  return (await repliesOf(pipeline, [])).map((reply) => {
    const [state = null, ticket = null] = reply as (string | null)[];
    return state === null || isTerminal(state as JobState) ? null : ticket;
  });
}
