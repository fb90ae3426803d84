import type { RedisClient } from "../../redis/connection.ts";
import type { QueueName } from "../../queues/names.ts";
import type { AuditKey } from "./key.ts";
import { makeLine } from "./line.ts";
import { AuditLog, type Head } from "./log.ts";
import { outboxKey } from "./outbox.ts";

/** Entries taken at once, of all outboxes together: large enough that a round trip costs little, some 0.2 MB. */
const BATCH = 500;

export interface AuditChainDeps {
  readonly redis: RedisClient;
  readonly key: AuditKey;
  readonly queues: readonly QueueName[];
}

/** An outbox's new entries. */
interface Taken {
  readonly queue: QueueName;
  readonly entries: readonly (readonly [string, readonly string[]])[];
}

/**
 * Moves entries from the outboxes into the log, each exactly once, hashed together with the one before. Any number of
 * processes may do it at the same time, and any may be killed at any moment: the head tells in one step with the entries
 * how far each outbox was taken.
 */
export class AuditChain {
  readonly #redis: RedisClient;
  readonly #key: AuditKey;
  readonly #queues: readonly QueueName[];
  readonly #log: AuditLog;
  #chained = 0;

  constructor({ redis, key, queues }: AuditChainDeps) {
    this.#redis = redis;
    this.#key = key;
    this.#queues = queues;
    this.#log = new AuditLog(redis);
  }

  /** Entries that this process chained. */
  get chained(): number {
    return this.#chained;
  }

  /**
   * One block. `more`: there may be another at once; `moved`: another process is at it.
   * @throws SatyapanError `audit-broken` where the log is chained with another key; whatever Redis answers
   */
  async step(): Promise<"more" | "idle" | "moved"> {
    const head = await this.#log.head();
    const each = Math.ceil(BATCH / this.#queues.length);
    const taken: Taken[] = await Promise.all(
      this.#queues.map(async (queue) => {
        const after = head.from.get(queue) ?? "0";
        return { queue, entries: await this.#redis.xrange(outboxKey(queue), `(${after}`, "+", "COUNT", each) };
      }),
    );
    const some = taken.filter(({ entries }) => entries.length > 0);
    if (some.length === 0) return "idle";
    if ((await this.#extend(head, some)) === "moved") return "moved";
    await this.#remove(some);
    return taken.some(({ entries }) => entries.length === each) ? "more" : "idle";
  }

  /** What a process that was killed between the two steps left behind: already in the log. */
  async sweep(): Promise<void> {
    const { from } = await this.#log.head();
    await Promise.all(
      this.#queues.map(async (queue) => {
        const last = from.get(queue);
        if (last !== undefined) await this.#redis.xtrim(outboxKey(queue), "MINID", "=", successor(last));
      }),
    );
  }

  /** Entries that wait to be chained. */
  async backlog(): Promise<number> {
    const lengths = await Promise.all(this.#queues.map(async (queue) => await this.#redis.xlen(outboxKey(queue))));
    return lengths.reduce((sum, length) => sum + length, 0);
  }

  async #extend(head: Head, taken: readonly Taken[]): Promise<"done" | "moved"> {
    const at = Math.max(head.now, head.at);
    const chained = new Date(at).toISOString();
    const lines: string[] = [];
    let { seq, hash } = head;
    for (const { queue, entries } of taken) {
      const place = queue.slice(1, -1);
      for (const [id, fields] of entries) {
        seq += 1;
        const made = makeLine(this.#key, hash, { seq, chained, source: `${place}/${id}` }, fields[1] ?? "");
        hash = made.hash;
        lines.push(made.line);
      }
    }
    const from = new Map(taken.map(({ queue, entries }): [string, string] => [queue, entries.at(-1)?.[0] ?? ""]));
    const answer = await this.#log.extend(head, { keyId: this.#key.id, at, hash, lines }, from);
    if (answer === "done") this.#chained += lines.length;
    return answer;
  }

  async #remove(taken: readonly Taken[]): Promise<void> {
    await Promise.all(
      taken.map(async ({ queue, entries }) => {
        const last = entries.at(-1)?.[0];
        if (last !== undefined) await this.#redis.xtrim(outboxKey(queue), "MINID", "=", successor(last));
      }),
    );
  }
}

/** The least stream id after this one. */
function successor(id: string): string {
  const [ms = "", n = ""] = id.split("-");
  return `${ms}-${Number(n) + 1}`;
}
