import { type CarriedJob, jobsOfTickets, stillCarried } from "../src/records/carried-jobs.ts";
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
/** Of all records, looked through in one call: some ten thousand, in a fraction of a second. */
const PAGES_AT_ONCE = 20;

/** A search through all records for the jobs of lost tickets without a list. */
interface Search {
  readonly names: readonly string[];
  readonly pages: AsyncGenerator<readonly CarriedJob[], void, void>;
}

/**
 * Finds tickets that are known and not in the queue any more (Redis lost them, another tool removed them, their list could not
 * be read), and gives each of their jobs an entry of its own. Jobs that somebody took meanwhile lose nothing by it, nor do
 * those that are found twice. Each call is short, however many records there are: deadlines wait for its end.
 */
export class LostTickets {
  readonly #deps: LostTicketsDeps;
  readonly #cursors = new Map<QueueName, string>();
  readonly #searches = new Map<QueueName, Search>();

  constructor(deps: LostTicketsDeps) {
    this.#deps = deps;
  }

  /**
   * Looks at some of a queue's tickets, going on where the last call ended, as long as it `mayGoOn`. Whether it is to be called
   * again soon: there is a search that has not ended.
   */
  async look(queue: QueueName, mayGoOn: () => boolean): Promise<boolean> {
    const search = this.#searches.get(queue) ?? (await this.#lookAtSome(queue));
    // One that fails is begun again: its tickets are still known.
    this.#searches.delete(queue);
    if (search === null) return false;
    for (let page = 0; page < PAGES_AT_ONCE && mayGoOn(); page += 1) {
      const { value, done } = await search.pages.next();
      if (done === true || value === undefined) {
        await this.#end(queue, search.names);
        return false;
      }
      for (const [name, jobs] of Map.groupBy(value, ({ ticket }) => ticket)) {
        const ids = jobs.map(({ id }) => id);
        await this.#requeue(queue, name, ids);
      }
    }
    this.#searches.set(queue, search);
    return true;
  }

  /** Those that are lost and have a list are mended at once; the others are to be searched for. */
  async #lookAtSome(queue: QueueName): Promise<Search | null> {
    const { redis, queues, now } = this.#deps;
    const lists = new TicketLists(redis, queue);
    const { cursor, tickets } = await lists.some(this.#cursors.get(queue) ?? "0");
    const old = tickets.filter(({ createdAt }) => !(now() - createdAt < MADE_MS)).map(({ name }) => name);
    // One that was done in between went from here before its entry went.
    const lost = await lists.known(await queues.entriesGone(queue, old));
    const listed: string[] = [];
    const names: string[] = [];
    for (const name of lost) {
      const list = await lists.read(name);
      if (list === null || !list.isWhole) names.push(name);
      else {
        await this.#requeue(queue, name, await stillCarried(redis, queue, name, list.ids));
        listed.push(name);
      }
    }
    await this.#end(queue, listed);
    this.#cursors.set(queue, cursor);
    return names.length === 0 ? null : { names, pages: jobsOfTickets(redis, queue, new Set(names)) };
  }

  async #end(queue: QueueName, names: readonly string[]): Promise<void> {
    const lists = new TicketLists(this.#deps.redis, queue);
    for (const name of names) await lists.end(name);
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
