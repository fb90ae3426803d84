import type { QueueName } from "../../queues/names.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { refusalWord } from "../../redis/refusal.ts";
import { asideKey, outboxKey } from "./outbox.ts";

/** A stream that holds it takes no more entries. */
const GREATEST_ID = "18446744073709551615-18446744073709551615";

interface Outbox {
  /** As the log's head and the lines name it: `{eko-0}`, and `{eko-0}:aside` for the second one. */
  readonly name: string;
  readonly key: string;
  readonly isAside: boolean;
}

/** An outbox's new entries. */
export interface Taken extends Pick<Outbox, "name" | "key"> {
  readonly entries: readonly (readonly [id: string, fields: readonly string[]])[];
}

/** All queues' outboxes. One that holds something else is as an empty one: the others must not wait for it. */
export class Outboxes {
  readonly #redis: RedisClient;
  readonly #all: readonly Outbox[];
  readonly #foreign = new Set<string>();
  /** They are empty as a rule: looked at now and then, and while a first outbox is foreign. */
  #looksAside = true;

  constructor(redis: RedisClient, queues: readonly QueueName[]) {
    this.#redis = redis;
    this.#all = queues.flatMap((queue) => [
      { name: queue, key: outboxKey(queue), isAside: false },
      { name: `${queue}:aside`, key: asideKey(queue), isAside: true },
    ]);
  }

  /** Keys where something else stood than a stream that can be read, when they were looked at last. */
  get foreign(): readonly string[] {
    return [...this.#foreign];
  }

  /** The second ones count from here on, too, until they are found empty. */
  lookAside(): void {
    this.#looksAside = true;
  }

  /** How many entries wait. */
  async length(): Promise<number> {
    const lengths = await this.#each(async ({ key }) => await this.#redis.xlen(key), 0);
    const isAsideEmpty = lengths.every(([{ isAside }, length]) => !isAside || length === 0);
    this.#looksAside = !isAsideEmpty || this.#foreign.size > 0;
    return lengths.reduce((sum, [, length]) => sum + length, 0);
  }

  /** Up to `count` of each, from after what `from` says; those that have none are left out. */
  async take(from: ReadonlyMap<string, string>, count: number): Promise<Taken[]> {
    const taken = await this.#each(async ({ name, key }) => {
      const last = from.get(name) ?? "0";
      if (last !== GREATEST_ID) return await this.#redis.xrange(key, `(${last}`, "+", "COUNT", count);
      // Nothing can come after it here: it comes to the second one.
      this.#looksAside = true;
      return [];
    }, []);
    return taken.flatMap(([{ name, key }, entries]) => (entries.length === 0 ? [] : [{ name, key, entries }]));
  }

  /** Removes what is in the log, as `from` says. */
  async trim(from: ReadonlyMap<string, string>): Promise<void> {
    await this.#each(async ({ name, key }) => {
      const last = from.get(name);
      return last === undefined ? 0 : await this.#redis.xtrim(key, "MINID", "=", successor(last));
    }, 0);
  }

  async #each<T>(work: (outbox: Outbox) => Promise<T>, foreign: T): Promise<(readonly [Outbox, T])[]> {
    const some = this.#all.filter(({ isAside }) => this.#looksAside || !isAside);
    return await Promise.all(
      some.map(async (outbox) => {
        try {
          const result = await work(outbox);
          this.#foreign.delete(outbox.key);
          return [outbox, result] as const;
        } catch (error) {
          if (!isForeign(error)) throw error;
          this.#foreign.add(outbox.key);
          this.#looksAside = true;
          return [outbox, foreign] as const;
        }
      }),
    );
  }
}

/** Whether a command was refused because its key holds no stream. */
function isForeign(error: unknown): boolean {
  return refusalWord(error) === "WRONGTYPE";
}

/** The least stream id after this one; of the greatest, which thereby stays, itself. */
function successor(id: string): string {
  if (id === GREATEST_ID) return id;
  const [ms = "", n = ""] = id.split("-");
  return `${ms}-${Number(n) + 1}`;
}
