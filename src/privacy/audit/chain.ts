import type { RedisClient } from "../../redis/connection.ts";
import type { QueueName } from "../../queues/names.ts";
import type { AuditKey } from "./key.ts";
import { makeLine } from "./line.ts";
import { AuditLog, type Head } from "./log.ts";
import { Outboxes, type Taken } from "./outboxes.ts";

/** Entries taken at once, of all queues together: large enough that a round trip costs little, some 0.2 MB. */
const BATCH = 500;

/** What lay in an outbox and was no entry, or stood in its place. */
export interface UnreadableAudit {
  /** The outbox in Redis. */
  readonly key: string;
  /** How many, and the ids of the first and the last; null: the key itself holds something else than entries. */
  readonly entries: { readonly count: number; readonly first: string; readonly last: string } | null;
}

export interface AuditChainDeps {
  readonly redis: RedisClient;
  readonly key: AuditKey;
  readonly queues: readonly QueueName[];
  /** Hears of each once: of entries when they were replaced in the log. */
  readonly onUnreadable?: ((what: UnreadableAudit) => void) | undefined;
}

/**
 * Moves entries from the outboxes into the log, each exactly once, hashed together with the one before. Any number of
 * processes may do it at the same time, and any may be killed at any moment: the head tells in one step with the entries
 * how far each outbox was taken.
 */
export class AuditChain {
  readonly #key: AuditKey;
  readonly #perOutbox: number;
  readonly #outboxes: Outboxes;
  readonly #log: AuditLog;
  readonly #onUnreadable: AuditChainDeps["onUnreadable"];
  #said: readonly string[] = [];
  #chained = 0;

  constructor({ redis, key, queues, onUnreadable }: AuditChainDeps) {
    this.#key = key;
    this.#perOutbox = Math.ceil(BATCH / queues.length);
    this.#outboxes = new Outboxes(redis, queues);
    this.#log = new AuditLog(redis);
    this.#onUnreadable = onUnreadable;
  }

  /** Entries that this process chained. */
  get chained(): number {
    return this.#chained;
  }

  /** Whether there is something to chain; says it where an outbox holds something else. */
  async look(): Promise<boolean> {
    const backlog = await this.backlog();
    const { foreign } = this.#outboxes;
    for (const key of foreign) if (!this.#said.includes(key)) this.#onUnreadable?.({ key, entries: null });
    this.#said = foreign;
    return backlog > 0;
  }

  /**
   * One block. `more`: there may be another at once; `moved`: another process is at it.
   * @throws SatyapanError `audit-broken` where the log is chained with another key; whatever Redis answers
   */
  async step(): Promise<"more" | "idle" | "moved"> {
    const head = await this.#log.head();
    const taken = await this.#outboxes.take(head.from, this.#perOutbox);
    if (taken.length === 0) return "idle";
    const from = new Map(taken.map(({ name, entries }): [string, string] => [name, entries.at(-1)?.[0] ?? ""]));
    if ((await this.#extend(head, taken, from)) === "moved") return "moved";
    await this.#outboxes.trim(from);
    return taken.some(({ entries }) => entries.length === this.#perOutbox) ? "more" : "idle";
  }

  /** What a process that was killed between the two steps left behind: already in the log. */
  async sweep(): Promise<void> {
    this.#outboxes.lookAside();
    await this.#outboxes.trim((await this.#log.head()).from);
  }

  /** Entries that wait to be chained. */
  async backlog(): Promise<number> {
    return await this.#outboxes.length();
  }

  async #extend(head: Head, taken: readonly Taken[], from: ReadonlyMap<string, string>): Promise<"done" | "moved"> {
    const at = Math.max(head.now, head.at);
    const chained = new Date(at).toISOString();
    const lines: string[] = [];
    const unreadable: UnreadableAudit[] = [];
    let { seq, hash } = head;
    for (const { name, key, entries } of taken) {
      const place = name.replace(/[{}]/g, "");
      const ids: string[] = [];
      for (const [id, fields] of entries) {
        seq += 1;
        const made = makeLine(this.#key, hash, { seq, chained, source: `${place}/${id}` }, fields[1] ?? "");
        hash = made.hash;
        lines.push(made.line);
        if (!made.isReadable) ids.push(id);
      }
      const [first] = ids;
      if (first !== undefined) {
        unreadable.push({ key, entries: { count: ids.length, first, last: ids.at(-1) ?? first } });
      }
    }
    const answer = await this.#log.extend(head, { keyId: this.#key.id, at, hash, lines }, from);
    if (answer === "moved") return answer;
    this.#chained += lines.length;
    for (const what of unreadable) this.#onUnreadable?.(what);
    return answer;
  }
}
