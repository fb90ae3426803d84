import type { Onboarding } from "../flows/onboarding.ts";
import { type PersonPlace, personArgs } from "../flows/person-place.ts";
import { LOOK_AGAIN_MS, newOnboardingArgs, type NewOnboarding } from "../flows/onboarding-store.ts";
import { bullmqPrefix, queuePrefix, type QueueName, SETTLED_CHANNEL } from "../queues/names.ts";
import type { RetentionTimes } from "../records/settings.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { RowOf } from "../redis/script.ts";
import { type Batch, countsOf } from "./batch.ts";
import { unfenced } from "./fenced.ts";
import { batchKey } from "./keys.ts";
import type { RowCounts } from "./row-state.ts";
import * as scripts from "./scripts/scripts.ts";

/** A row that is handed to the queue: its record, and whom it is about. */
export type TakenRow = RowOf<typeof scripts.TAKE_ROWS>;

/** Where a row has come to. */
export type FoldedRow = RowOf<typeof scripts.FOLD>;

/** A row that begins its flow, and whom it is about. */
export interface TakenOnboarding extends PersonPlace {
  readonly at: number;
  /** Which time it runs (`runOf`). */
  readonly run: number;
  readonly onboarding: NewOnboarding;
}

/** `held`: another row has the person, by its job's id, or an onboarding (`samePersonAs`). */
export type TakeAnswer =
  { readonly kind: "taken" | "no" | "conflict" } | { readonly kind: "held"; readonly by: string };

type BatchOfRows = Pick<Batch, "queue" | "id">;

/** What the feeder does with rows. Every step is one round trip; those that take its epoch throw FencedError. */
export class RowStore {
  readonly #redis: RedisClient;
  readonly #retention: RetentionTimes;

  constructor(redis: RedisClient, retention: RetentionTimes) {
    this.#redis = redis;
    this.#retention = retention;
  }

  /** Hands rows to the queue. The state in which nothing is taken (`gone`: none), or one answer per row. */
  async take(
    batch: Pick<Batch, "queue" | "id" | "target">,
    epoch: number,
    now: number,
    rows: readonly TakenRow[],
  ): Promise<string | TakeAnswer[]> {
    const { queue, id, target } = batch;
    const prefixes = { prefix: queuePrefix(queue), bull: bullmqPrefix(queue) };
    const args = { ...prefixes, id, epoch, now, ...personArgs(target.name, this.#retention, now) };
    return takeAnswers(await scripts.TAKE_ROWS.run(this.#redis, [batchKey(queue, id)], args, rows));
  }

  /** The same of rows that run a flow: whoever looks after onboardings takes them on. */
  async takeFlow(
    batch: Pick<Batch, "queue" | "id" | "target">,
    epoch: number,
    now: number,
    rows: readonly TakenOnboarding[],
  ): Promise<string | TakeAnswer[]> {
    const { queue, id, target } = batch;
    const persons = personArgs(target.name, this.#retention, now);
    const args = { prefix: queuePrefix(queue), id, epoch, now, look_at: now + LOOK_AGAIN_MS, ...persons };
    const taken = rows.map(({ at, run, shard, person, onboarding }) => ({
      ...{ at, run, shard, person },
      ...newOnboardingArgs(onboarding),
    }));
    return takeAnswers(await scripts.TAKE_FLOW_ROWS.run(this.#redis, [batchKey(queue, id)], args, taken));
  }

  /** What became of jobs, as `LOOK_AT_ROWS` says it. */
  async look(queue: QueueName, jobIds: readonly string[]): Promise<string[][]> {
    if (jobIds.length === 0) return [];
    const rows = jobIds.map((id) => ({ id }));
    return (await scripts.LOOK_AT_ROWS.run(
      this.#redis,
      [batchKey(queue, "")],
      { prefix: queuePrefix(queue) },
      rows,
    )) as string[][];
  }

  /** Rows in other states, with the results of their chunk (null: as they are). The counts after it; null: it is gone. */
  async fold(
    { queue, id, target }: Pick<Batch, "queue" | "id" | "target">,
    epoch: number,
    now: number,
    changed: { readonly chunk: number; readonly out: Buffer | null; readonly rate: number },
    rows: readonly FoldedRow[],
  ): Promise<RowCounts | null> {
    const { chunk, out, rate } = changed;
    const args = {
      ...{ prefix: queuePrefix(queue), epoch, now, chunk, out: out ?? Buffer.alloc(0), rate: rate.toFixed(3) },
      is_flow: target.kind === "flow",
    };
    const reply = (await scripts.FOLD.run(this.#redis, [batchKey(queue, id)], args, rows)) as string | string[];
    if (typeof reply !== "string") return countsOf(reply);
    unfenced(reply);
    return null;
  }

  /** Takes rows back that were never called: to wait again, or, with `reason`, as cancelled. Which of them were. */
  async revoke(
    { queue, id }: BatchOfRows,
    epoch: number,
    now: number,
    rows: readonly RowOf<typeof scripts.REVOKE>[],
    reason: string | null,
  ): Promise<boolean[]> {
    const args = {
      ...{ prefix: queuePrefix(queue), channel: SETTLED_CHANNEL, retention: this.#retention.recordMs, id, epoch, now },
      ...{ cancels: reason !== null, reason: reason ?? "" },
    };
    const reply = (await scripts.REVOKE.run(this.#redis, [batchKey(queue, id)], args, rows)) as string | string[];
    if (typeof reply !== "string") return reply.map((answer) => answer === "done");
    unfenced(reply);
    return rows.map(() => false);
  }

  /** Takes the steps where these onboardings stand out of the queue, if they were never called. How many. */
  async hold(
    { queue, id }: BatchOfRows,
    epoch: number,
    now: number,
    onboardings: readonly Pick<Onboarding, "id" | "job">[],
  ): Promise<number> {
    if (onboardings.length === 0) return 0;
    const args = { prefix: queuePrefix(queue), epoch, now };
    const rows = onboardings.map((one) => ({ onboarding: one.id, step_job: one.job }));
    const reply = await scripts.HOLD_STEPS.run(this.#redis, [batchKey(queue, id)], args, rows);
    if (typeof reply === "string") unfenced(reply);
    return (reply as string[]).filter((answer) => answer === "done").length;
  }
}

function takeAnswers(reply: unknown): string | TakeAnswer[] {
  if (typeof reply === "string") return unfenced(reply);
  return (reply as string[]).map((answer): TakeAnswer => {
    const [kind = "no", by = ""] = answer.split(" ");
    return kind === "held" ? { kind, by } : { kind: kind as "taken" | "no" | "conflict" };
  });
}
