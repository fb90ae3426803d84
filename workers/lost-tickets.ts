import { jobsOfTickets, stillCarried } from "../src/records/carried-jobs.ts";
import type { JobQueues } from "../src/queues/job-queues.ts";
import type { QueueName } from "../src/queues/names.ts";
import { parseTicket } from "../src/queues/ticket.ts";
import { TicketLists } from "../src/queues/ticket-lists.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Logger } from "../src/telemetry/logger.ts";

export interface LostTicketsDeps {
  readonly redis: RedisClient;
  readonly queues: JobQueues;
  readonly logger: Logger;
  readonly now: () => number;
}

/** A ticket that was made this long ago is in the queue, or lost; in ms. */
const MADE_MS = 30_000;

/**
 * Finds tickets that are known and not in the queue any more (Redis lost them, another tool removed them, their list could not
 * be read), and gives each of their jobs an entry of its own. Jobs that somebody took meanwhile lose nothing by it.
 */
export class LostTickets {
  readonly #deps: LostTicketsDeps;
  readonly #cursors = new Map<QueueName, string>();

  constructor(deps: LostTicketsDeps) {
    this.#deps = deps;
  }

  /** Looks at some of a queue's tickets, going on where the last call ended. */
  async look(queue: QueueName): Promise<void> {
    const { redis, queues, now } = this.#deps;
    const lists = new TicketLists(redis, queue);
    const { cursor, tickets } = await lists.some(this.#cursors.get(queue) ?? "0");
    const old = tickets.filter(({ createdAt }) => !(now() - createdAt < MADE_MS)).map(({ name }) => name);
    const lost = await queues.entriesGone(queue, old);
    const unlisted = new Set<string>();
    for (const name of lost) {
      const list = await lists.read(name);
      if (list === null || !list.isWhole) unlisted.add(name);
      else await this.#requeue(queue, name, await stillCarried(redis, queue, name, list.ids));
    }
    if (unlisted.size > 0) {
      const found = new Map<string, string[]>();
      for await (const { id, ticket } of jobsOfTickets(redis, queue, unlisted))
        found.set(ticket, [...(found.get(ticket) ?? []), id]);
      for (const [name, ids] of found) await this.#requeue(queue, name, ids);
    }
    for (const name of lost) await lists.end(name);
    this.#cursors.set(queue, cursor);
  }

  async #requeue(queue: QueueName, name: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { queues, logger } = this.#deps;
    const { lane, verify } = parseTicket(name) ?? { lane: "bulk", verify: false };
    await queues.add(
      queue,
      ids.map((id) => ({ id, lane, verify })),
    );
    logger.rarely.warn({ queue, ticket: name, jobs: ids.length }, "ticket lost: its jobs are queued again");
  }
}
