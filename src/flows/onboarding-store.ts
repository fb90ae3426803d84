import { ErrorCode, SatyapanError } from "../base/error.ts";
import { UNREAD, type Unread } from "../base/unread.ts";
import type { Result } from "../outcomes/outcome.ts";
import { type AuditEntry, auditText } from "../privacy/audit/entry.ts";
import { queuePrefix, type QueueName, SETTLED_CHANNEL } from "../queues/names.ts";
import type { RetentionTimes } from "../records/settings.ts";
import type { RedisClient } from "../redis/connection.ts";
import { newStep } from "../redis/once.ts";
import { unlessRefused } from "../redis/refusal.ts";
import {
  type DoneStep,
  isFinal,
  isOver,
  type Onboarding,
  type OnboardingState,
  packDone,
  packTerms,
  parseOnboarding,
} from "./onboarding.ts";
import { NOBODY, personArgs, personPlace } from "./person-place.ts";
import { BEGIN_ONBOARDING, CANCEL_ONBOARDING, MOVE_ONBOARDING } from "./scripts/scripts.ts";
import { repliesOf } from "../redis/replies.ts";

/** An onboarding as it enters: its input checked and sealed. */
export type NewOnboarding = Pick<
  Onboarding,
  "id" | "flow" | "lane" | "createdAt" | "expiresAt" | "subjects" | "step" | "job" | "parent"
> & { readonly input: string; readonly digest: string };

/** Where an onboarding goes. */
export interface Move {
  readonly state: OnboardingState;
  readonly step: string;
  readonly job: string;
  readonly done: readonly DoneStep[];
  readonly reason: string | null;
  readonly result: Result | null;
  /** When it is looked at though nobody told of it, ms. */
  readonly lookAt: number;
  /** The verify that was begun last, as it was seen (null: none): if another was begun since, this move is not made. Absent: any. */
  readonly seenVerify?: string | null | undefined;
}

/** The longest an onboarding goes unseen while a step is under way, in ms. */
export const LOOK_AGAIN_MS = 30_000;

/** Onboardings in Redis. Every change is one step. */
export class OnboardingStore {
  readonly #redis: RedisClient;
  readonly #retention: RetentionTimes;

  constructor(redis: RedisClient, retention: RetentionTimes) {
    this.#redis = redis;
    this.#retention = retention;
  }

  async begin(queue: QueueName, onboarding: NewOnboarding): Promise<"created" | "duplicate" | "conflict"> {
    const { id, parent, createdAt } = onboarding;
    const args = {
      ...{ prefix: queuePrefix(queue), id, ...newOnboardingArgs(onboarding), parent },
      ...{ now: createdAt, look_at: createdAt + LOOK_AGAIN_MS, ...this.#person(onboarding, createdAt) },
    };
    const answer = await BEGIN_ONBOARDING.run(this.#redis, [onboardingKey(queue, id)], args);
    return answer as "created" | "duplicate" | "conflict";
  }

  /** Null: there is none, or something else is in its place. Throws SatyapanError `unreadable` for one of a newer version. */
  async get(queue: QueueName, id: string): Promise<Onboarding | null> {
    const [found = null] = await this.getMany(queue, [id]);
    if (found !== UNREAD) return found;
    const message = `onboarding ${id} was written by a newer version, and this one cannot read it: update this one`;
    throw new SatyapanError(ErrorCode.UNREADABLE, message);
  }

  /** In one round trip. */
  async getMany(queue: QueueName, ids: readonly string[]): Promise<(Onboarding | Unread | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hgetall(onboardingKey(queue, id));
    const replies = (await repliesOf(pipeline, null)) as (Record<string, string> | null)[];
    return replies.map((fields, index) => (fields === null ? null : parseOnboarding(ids[index] ?? "", fields)));
  }

  /** `moved`: it is not where `from` saw it any more. `entry`: of the person who says so, in the very same step; null, the default: none does. */
  async move(
    queue: QueueName,
    from: Onboarding,
    to: Move,
    now: number,
    entry: AuditEntry | null = null,
  ): Promise<"done" | "moved" | "missing"> {
    const { id } = from;
    // Of one that failed somebody may have the step tried again.
    const isAtRest = isFinal(to.state) && to.state !== "failed";
    const lookAt = to.state === "failed" ? now + this.#retention.resultMs : to.lookAt;
    const args = {
      ...{ prefix: queuePrefix(queue), channel: SETTLED_CHANNEL, retention: this.#retention.recordMs, id },
      ...{ from: `${from.state} ${from.step} ${from.job}`, state: to.state, step: to.step, job: to.job },
      ...{ done: packDone(to.done), reason: to.reason, now },
      result: to.result === null ? null : JSON.stringify(to.result),
      look_at: isAtRest ? null : lookAt,
      ...{ is_over: isOver(to.state), keeps_input: !isAtRest },
      ...{ checks_verify: to.seenVerify !== undefined, verify: to.seenVerify ?? null, ...this.#person(from, now) },
      ...{ entry: entry === null ? null : auditText(entry), move: newStep() },
    };
    const answer = await MOVE_ONBOARDING.run(this.#redis, [onboardingKey(queue, id)], args);
    return answer as "done" | "moved" | "missing";
  }

  /** `done`, `missing`, or the state in which it ended before. */
  async cancel(queue: QueueName, id: string, reason: string, entry: AuditEntry): Promise<string> {
    const args = { prefix: queuePrefix(queue), id, reason, entry: auditText(entry) };
    return (await CANCEL_ONBOARDING.run(this.#redis, [onboardingKey(queue, id)], args)) as string;
  }

  /** The same of many, in one round trip, for whoever wrote that into the audit log already. */
  async cancelMany(queue: QueueName, ids: readonly string[], reason: string): Promise<void> {
    const prefix = queuePrefix(queue);
    const runs = ids.map((id) => ({ keys: [onboardingKey(queue, id)], args: { prefix, id, reason, entry: null } }));
    await CANCEL_ONBOARDING.runMany(this.#redis, runs);
  }

  /** The input of one that failed, or is unknown, goes when results do. Whether it is gone. */
  async letInputGo(queue: QueueName, { id, updatedAt, input }: Onboarding, now: number): Promise<boolean> {
    if (input === null) return true;
    if (now < updatedAt + this.#retention.resultMs) return false;
    await this.#redis.hdel(onboardingKey(queue, id), "input");
    return true;
  }

  /** Those that were not looked at for long, or whose code is due: oldest first, behind so many others. */
  async due(queue: QueueName, now: number, most: number, behind: number): Promise<string[]> {
    return await this.#redis.zrangebyscore(onboardingsDueKey(queue), "-inf", now, "LIMIT", behind, most);
  }

  /** When the first is due of those that are not yet, ms; null: there is none. */
  async dueAfter(queue: QueueName, now: number): Promise<number | null> {
    const key = onboardingsDueKey(queue);
    const [, at] = await this.#redis.zrangebyscore(key, `(${now}`, "+inf", "WITHSCORES", "LIMIT", 0, 1);
    return at === undefined ? null : Number(at);
  }

  async lookAt(queue: QueueName, id: string, at: number): Promise<void> {
    await this.#redis.zadd(onboardingsDueKey(queue), "XX", at, id);
  }

  async forgetDue(queue: QueueName, id: string): Promise<void> {
    await this.#redis.zrem(onboardingsDueKey(queue), id);
  }

  /** Ids of those that belong to no batch, newest first, that began at most so long ago (ms). Older ones go from the list. */
  async newest(queue: QueueName, now: number, most: number): Promise<string[]> {
    const key = `${queuePrefix(queue)}onboardings`;
    // Whoever only looks, looks also where no write is taken.
    await this.#redis.zremrangebyscore(key, "-inf", now - this.#retention.recordMs).catch(unlessRefused);
    return await this.#redis.zrange(key, "0", String(most - 1), "REV");
  }

  /** By that by which the flow knows the person first. */
  #person({ flow, subjects: [subject] }: Pick<Onboarding, "flow" | "subjects">, now: number) {
    return { ...personArgs(flow, this.#retention, now), ...(subject === undefined ? NOBODY : personPlace(subject)) };
  }
}

/** What its beginning is written with, as `NEW_ONBOARDING_ARGS` names it. */
export function newOnboardingArgs(onboarding: NewOnboarding) {
  const { digest, input, step, job } = onboarding;
  return { digest, terms: packTerms(onboarding), input, step, job };
}

export function onboardingKey(queue: QueueName, id: string): string {
  return `${queuePrefix(queue)}onboarding:${id}`;
}

/** Those that are not over, by when they are looked at. */
export function onboardingsDueKey(queue: QueueName): string {
  return `${queuePrefix(queue)}onboardings:due`;
}
