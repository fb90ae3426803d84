import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { RedisClient } from "../redis/connection.ts";
import { refusalWord } from "../redis/refusal.ts";
import { repliesOf } from "../redis/replies.ts";
import { queuePrefix, type QueueName, ticketKey } from "./names.ts";
import { ID_FORM } from "../base/id-form.ts";

/** A ticket that was handed to the queue and is not done. */
export interface KnownTicket {
  readonly name: string;
  /** In ms, by Redis' clock. */
  readonly createdAt: number;
}

/** The jobs of a ticket that are not done. */
export interface TicketList {
  readonly ids: readonly string[];
  /** Not: it is empty, or has words that are no ids or stand twice; of what should stand there nothing is known. */
  readonly isWhole: boolean;
}

/** Marks this form of a list; another version's is unreadable. */
const FORM = "1";
/** Stands in a list in place of what could not be read; no id. */
const UNKNOWN = "?";
/** Tickets looked at in one round trip. */
const PAGE = 100;

/**
 * Which jobs a ticket carries: `ticket:T` holds their ids, and the hash `tickets` all tickets that are not done with the time
 * they were made, so that one whose BullMQ job is gone can be found.
 */
export class TicketLists {
  readonly #redis: RedisClient;
  readonly #queue: QueueName;

  constructor(redis: RedisClient, queue: QueueName) {
    this.#redis = redis;
    this.#queue = queue;
  }

  /** Writes down tickets that are about to be queued, in one round trip. Throws as `some`. */
  async put(
    tickets: readonly { readonly name: string; readonly ids: readonly string[] }[],
    now: number,
  ): Promise<void> {
    if (tickets.length === 0) return;
    const pipeline = this.#redis.pipeline();
    for (const { name, ids } of tickets) pipeline.set(ticketKey(this.#queue, name), packList(ids));
    pipeline.hset(this.#registry, ...tickets.flatMap(({ name }) => [name, String(now)]));
    await repliesOf(pipeline).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  /** Each id once; null: there is no list (yet), or none that can be read. */
  async read(name: string): Promise<TicketList | null> {
    try {
      const text = await this.#redis.get(ticketKey(this.#queue, name));
      return text === null ? null : parseList(text);
    } catch (error) {
      if (refusalWord(error) !== "WRONGTYPE") throw error;
      return null;
    }
  }

  /** What is left of it; unless it ended meanwhile. */
  async keep(name: string, { ids, isWhole }: TicketList): Promise<void> {
    await this.#redis.set(ticketKey(this.#queue, name), packList(isWhole ? ids : [...ids, UNKNOWN]), "XX");
  }

  /** What could be read of it is done: the reaper looks for the others as soon as its entry in the queue is gone. */
  async giveUp(name: string): Promise<void> {
    await this.#redis.del(ticketKey(this.#queue, name));
  }

  /** It carries nothing any more. What Redis refuses here is found as a forgotten ticket later. */
  async end(name: string): Promise<void> {
    await this.#redis.pipeline().del(ticketKey(this.#queue, name)).hdel(this.#registry, name).exec();
  }

  /**
   * Some of all tickets, from `cursor` on ("0": the first); the cursor of the next, "0" after the last. Throws SatyapanError
   * `redis-unsuitable` where something else stands in their place.
   */
  async some(cursor: string): Promise<{ readonly cursor: string; readonly tickets: readonly KnownTicket[] }> {
    const [next, flat] = await this.#redis.hscan(this.#registry, cursor, "COUNT", PAGE).catch((error: unknown) => {
      throw this.#failure(error);
    });
    const tickets = Array.from({ length: flat.length / 2 }, (_, index) => ({
      name: flat[2 * index] ?? "",
      createdAt: Number(flat[2 * index + 1]),
    }));
    return { cursor: next, tickets };
  }

  /** Those of these tickets that are not done. */
  async known(names: readonly string[]): Promise<string[]> {
    const made = names.length === 0 ? [] : await this.#redis.hmget(this.#registry, ...names);
    return names.filter((_, index) => (made[index] ?? null) !== null);
  }

  #failure(error: unknown): unknown {
    if (refusalWord(error) !== "WRONGTYPE") return error;
    const key = this.#registry;
    const message = `Redis' key ${key} holds something else than tickets, which another program wrote: move it away (RENAME "${key}" "aside:${key}"), and go on; what was given an id is submitted once, however often it is asked for`;
    return new SatyapanError(ErrorCode.REDIS_UNSUITABLE, message, { cause: error });
  }

  get #registry(): string {
    return `${queuePrefix(this.#queue)}tickets`;
  }
}

function packList(ids: readonly string[]): string {
  return [FORM, ...ids].join(" ");
}

function parseList(text: string): TicketList | null {
  const [form, ...words] = text.split(" ");
  if (form !== FORM) return null;
  const ids = [...new Set(words.filter((word) => ID_FORM.test(word)))];
  return { ids, isWhole: ids.length > 0 && ids.length === words.length };
}
