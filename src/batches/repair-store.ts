import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import { queuePrefix, type QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { RowOf } from "../redis/script.ts";
import type { Batch } from "./batch.ts";
import { BATCH_STATES, type BatchState } from "./batch-state.ts";
import { batchKey } from "./keys.ts";
import { type Rerun, type Reruns, parseRerun } from "./rerun.ts";
import { type RowState, rowStateOf } from "./row-state.ts";
import * as scripts from "./scripts/scripts.ts";
import { repliesOf } from "../redis/replies.ts";

/** Sealed chunks of mended rows: `KIND:NAME`. */
export type StagedChunks = ReadonlyMap<string, Buffer>;

export type RepairAnswer =
  /** `before`: rows of the same file that came back before. */
  | { readonly kind: "done" | "before"; readonly before: number }
  /** The batch takes none back, or is gone; or what was staged is. */
  | { readonly kind: "state"; readonly state: BatchState }
  | { readonly kind: "gone" }
  | { readonly kind: "lost" }
  /** Nothing was changed, because of these rows; `state` null: there is no such row, or the file knows more of it than there is. */
  | { readonly kind: "refused"; readonly rows: readonly { readonly row: number; readonly state: RowState | null }[] };

/** Rows of a batch at one moment. */
export interface Standing {
  /** The byte of each, in order. */
  readonly states: string;
  readonly reruns: Reruns;
}

/** Rows of batches that come back mended. */
export class RepairStore {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** The rows of a batch that run again: few, or none. */
  async reruns(queue: QueueName, id: string): Promise<Reruns> {
    const stored = await this.#redis.hgetall(`${batchKey(queue, id)}:again`);
    return new Map(
      Object.entries(stored).flatMap(([row, text]): [number, Rerun][] => {
        const rerun = parseRerun(text);
        return rerun === null ? [] : [[Number(row), rerun]];
      }),
    );
  }

  /** How these rows, `from` to `to`, stand at one moment: a byte each, and those of them that run again. */
  async standing(queue: QueueName, id: string, from: number, to: number): Promise<Standing> {
    const key = batchKey(queue, id);
    const rows = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const look = this.#redis.multi().getrange(`${key}:states`, from - 1, to - 1);
    const replies = await repliesOf(look.hmget(`${key}:again`, ...rows.map(String)));
    const [states, again] = replies as [string, (string | null)[]];
    const reruns = rows.flatMap((row, index): [number, Rerun][] => {
      const rerun = parseRerun(again[index] ?? "");
      return rerun === null ? [] : [[row, rerun]];
    });
    return { states, reruns: new Map(reruns) };
  }

  /** Values of mended rows on their way in: nobody sees them before `commit`, and what is left goes by itself. */
  async stage(queue: QueueName, id: string, repair: string, chunks: StagedChunks): Promise<void> {
    const key = stagedKey(queue, id, repair);
    const pipeline = this.#redis.multi();
    for (const [name, bytes] of chunks) pipeline.hset(key, name, bytes);
    pipeline.pexpire(key, scripts.CHECKING_MS);
    await repliesOf(pipeline);
  }

  /** All of these rows wait again, or none does. */
  async commit(
    { queue, id, createdAt }: Pick<Batch, "queue" | "id" | "createdAt">,
    repair: string,
    chunks: number,
    rows: readonly RowOf<typeof scripts.REPAIR>[],
    now: number,
    entry: AuditEntry,
  ): Promise<RepairAnswer> {
    const args = { prefix: queuePrefix(queue), id, chunks, created: createdAt, now, entry: auditText(entry) };
    const keys = [batchKey(queue, id), stagedKey(queue, id, repair)];
    const [kind, ...rest] = (await scripts.REPAIR.run(this.#redis, keys, args, rows)) as (string | number)[];
    switch (kind) {
      case "done":
      case "before":
        return { kind, before: Number(rest[0] ?? 0) };
      case "gone":
      case "lost":
        return { kind };
      case "state":
        return { kind, state: BATCH_STATES.find((known) => known === rest[0]) ?? "cancelled" };
      case "refused":
        return { kind, rows: refusedOf(rest.map(String)) };
      default:
        throw new TypeError(`the repair script said ${kind ?? "nothing"}`);
    }
  }

  /** What nobody will commit any more. */
  async discard(queue: QueueName, id: string, repair: string): Promise<void> {
    await this.#redis.unlink(stagedKey(queue, id, repair));
  }
}

function refusedOf(words: readonly string[]): { readonly row: number; readonly state: RowState | null }[] {
  return Array.from({ length: words.length / 2 }, (_, index) => ({
    row: Number(words[2 * index]),
    state: rowStateOf(words[2 * index + 1] ?? "") ?? null,
  }));
}

function stagedKey(queue: QueueName, id: string, repair: string): string {
  return `${batchKey(queue, id)}:repair:${repair}`;
}
