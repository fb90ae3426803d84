import { parseTraceparent, type TraceContext, traceparentOf } from "../base/trace-context.ts";
import { queuePrefix, type QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import { type ParentRef, parseParent } from "./parent.ts";
import type { RecordStore } from "./record-store.ts";
import { unpackJob } from "./stored-job.ts";
import { type TracePlace, tracePlaceOf, traceRootOf } from "./trace-place.ts";

/** What a job's record says, and where its spans belong. */
export interface TracedJob {
  readonly root: string;
  readonly place: TracePlace;
  readonly parent: ParentRef | null;
}

export interface TracesDeps {
  readonly redis: RedisClient;
  readonly records: Pick<RecordStore, "fieldsOfMany">;
  /** How long a handed in context is kept, in ms: as long as records. */
  readonly keptMs: number;
  /** Of the traces that are kept, 0 to 1; null: this process was not told of a collector. */
  readonly share: number | null;
}

/**
 * Which trace jobs and onboardings belong to. Only what a submitter hands in is kept, in a key of its own, because few do and
 * every record would pay for it.
 */
export class Traces {
  readonly #deps: TracesDeps;

  constructor(deps: TracesDeps) {
    this.#deps = deps;
  }

  /** Whether traces are of any use to whoever looks. */
  get areKept(): boolean {
    return this.#deps.share !== null;
  }

  /** Before what it is for enters. The first context that was handed in for an id stands. */
  async hand(queue: QueueName, root: string, context: TraceContext): Promise<void> {
    const { redis, keptMs } = this.#deps;
    await redis.set(traceKey(queue, root), traceparentOf(context), "PX", keptMs, "NX");
  }

  /** Of jobs by their records, null where there is none; in order. Rejects where Redis is away. */
  async ofJobs(queue: QueueName, ids: readonly string[]): Promise<(TracedJob | null)[]> {
    const records = await this.#deps.records.fieldsOfMany(queue, ids);
    return await Promise.all(
      records.map(async (fields, index) => {
        if (fields?.["job"] === undefined) return null;
        const parent = parseParent(fields["parent"] ?? "");
        const root = traceRootOf({ id: ids[index] ?? "", parent, of: unpackJob(fields["job"]).of });
        return { root, parent, place: await this.ofRoot(queue, root) };
      }),
    );
  }

  /** Of an onboarding, or of a job that is no part of anything. */
  async ofRoot(queue: QueueName, root: string): Promise<TracePlace> {
    const { redis, share } = this.#deps;
    const given = await redis.get(traceKey(queue, root));
    return tracePlaceOf(root, given === null ? null : parseTraceparent(given), share ?? 1);
  }
}

function traceKey(queue: QueueName, root: string): string {
  return `${queuePrefix(queue)}trace:${root}`;
}
