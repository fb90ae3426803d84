import { setTimeout as sleep } from "node:timers/promises";
import { queuePrefix, type QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import { asideOf } from "../redis/outbox.ts";
import { refusalWord } from "../redis/refusal.ts";
import { LuaScript } from "../redis/script.ts";
import { type ParentRef, parseParent } from "./parent.ts";

/** What became of a part: a job or an onboarding has ended, or goes on after all (`queued`, `waiting`). */
export interface ParentNews {
  /** Its place in the outbox: the stream's id. */
  readonly entry: string;
  readonly stream: string;
  /** Of the job or onboarding that is the part. */
  readonly id: string;
  readonly state: string;
  readonly parent: ParentRef;
}

/** An entry that is no news. */
export type StrayEntry = Pick<ParentNews, "entry" | "stream">;

/** Until an outbox is looked at again in whose place something else stands, in ms. */
const FOREIGN_LOOK_MS = 250;
/** Entries that nobody could take are kept for people: no more than about this many. */
const BROKEN_KEPT = 10_000;

export const SET_ASIDE = new LuaScript(new URL("set-parent-aside.lua", import.meta.url), {
  constants: { BROKEN_KEPT },
  args: { entry: "text" },
});

/**
 * What the journal's steps tell parents, per queue: a stream, in the queue's slot, so that the very step that ends a job appends to
 * it. An entry is `ID STATE PARENT` in field `e`.
 */
export function parentsKey(queue: QueueName): string {
  return `${queuePrefix(queue)}parents`;
}

/** Where entries are kept that nobody could take. */
export function brokenParentsKey(queue: QueueName): string {
  return `${parentsKey(queue)}:broken`;
}

/** The outbox of one queue, read from its beginning: what was taken is removed. */
export class ParentOutbox {
  readonly #redis: RedisClient;
  readonly #queue: QueueName;
  #isForeign = false;

  /** `redis`: a connection that nobody else uses, because it waits. */
  constructor(redis: RedisClient, queue: QueueName) {
    this.#redis = redis;
    this.#queue = queue;
  }

  /** Whether something else stood in its place when it was read last: steps go on, and their entries go to the second stream. */
  get isForeign(): boolean {
    return this.#isForeign;
  }

  /**
   * The first entries of both streams, oldest first within each; waits up to `waitMs` where there are none. Something else in a
   * stream's place is as if it were empty.
   */
  async read(count: number, waitMs: number): Promise<(ParentNews | StrayEntry)[]> {
    const keys = this.#keys();
    const from = ["STREAMS", ...keys, "0", "0"] as const;
    try {
      const found = await this.#redis.xread("COUNT", count, "BLOCK", waitMs, ...from);
      this.#isForeign = false;
      return (found ?? []).flatMap(([stream, entries]) => entries.map((entry) => newsOf(stream, entry)));
    } catch (error) {
      if (refusalWord(error) !== "WRONGTYPE") throw error;
      this.#isForeign = true;
      const entries = (await Promise.all(keys.map(async (key) => await this.#first(key, count)))).flat();
      if (entries.length === 0) await sleep(Math.min(FOREIGN_LOOK_MS, waitMs));
      return entries;
    }
  }

  /** Removes entries, which somebody took. */
  async remove(news: readonly StrayEntry[]): Promise<void> {
    for (const [stream, ofStream] of Map.groupBy(news, (one) => one.stream)) {
      await this.#redis.xdel(stream, ...ofStream.map(({ entry }) => entry));
    }
  }

  /** Moves an entry to those that nobody could take. */
  async setAside({ entry, stream }: StrayEntry): Promise<void> {
    await SET_ASIDE.run(this.#redis, [stream, brokenParentsKey(this.#queue)], { entry });
  }

  #keys(): [string, string] {
    const key = parentsKey(this.#queue);
    return [key, asideOf(key)];
  }

  async #first(key: string, count: number): Promise<(ParentNews | StrayEntry)[]> {
    try {
      const entries = await this.#redis.xrange(key, "-", "+", "COUNT", count);
      return entries.map((entry) => newsOf(key, entry));
    } catch (error) {
      if (refusalWord(error) !== "WRONGTYPE") throw error;
      return [];
    }
  }
}

type Entry = readonly [id: string, fields: readonly string[]];

function newsOf(stream: string, [entry, fields]: Entry): ParentNews | StrayEntry {
  const [name, text = ""] = fields;
  const [id = "", state = "", parent = "", ...rest] = text.split(" ");
  const ref = parseParent(parent);
  if (name !== "e" || ref === null || rest.length > 0) return { entry, stream };
  return { entry, stream, id, state, parent: ref };
}
