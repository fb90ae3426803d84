import { setTimeout as sleep } from "node:timers/promises";
import { isHeld } from "../src/batches/held.ts";
import { Challenges } from "../src/challenges/challenges.ts";
import { SatyapanError } from "../src/base/error.ts";
import { Engine } from "../src/flows/engine.ts";
import { FLOWS } from "../src/flows/flows.ts";
import { isFinal, isOver, ONBOARDING_STATES } from "../src/flows/onboarding.ts";
import { OnboardingStore } from "../src/flows/onboarding-store.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { type QueueName, QUEUES } from "../src/queues/names.ts";
import type { ParentNews } from "../src/records/parent-outbox.ts";
import { RecordStore } from "../src/records/record-store.ts";
import type { Duty } from "../src/redis/lease.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import { refusalWord } from "../src/redis/refusal.ts";
import type { WorkerCore } from "./worker-core.ts";

/** Between two looks for onboardings that are due, in ms: with none in sight, and at least. */
const EVERY_MS = 8_000;
const LEAST_MS = 500;
/** Onboardings looked at in one go, how many goes one after the other, and how many at once. */
const MOST_DUE = 200;
const MOST_GOES = 20;
const AT_ONCE = 16;

/** Those of a queue that failed stay due before all others: a look begins behind them, and with them again every 8 s. */
interface Front {
  readonly failed: number;
  /** When a look began with them, ms. */
  readonly at: number;
  /** Whether all that was due was looked at since: more than one look takes may fail. */
  readonly isWhole: boolean;
}

/** Takes onboardings on: as it is told of their jobs, and what was lost of that a while later. By one worker for all. */
export class OnboardingDuty {
  readonly #engine: Engine;
  readonly #challenges: Challenges;
  readonly #onboardings: OnboardingStore;
  readonly #queues: JobQueues;
  readonly #duty: Duty;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  /** Ends its rest: an onboarding has moved, and may be due earlier than any before. */
  #rest = new AbortController();
  readonly #sweeping: Promise<void>;
  readonly #fronts = new Map<QueueName, Front>();

  constructor(core: WorkerCore, duty: Duty) {
    const { probe: redis, settings, keyChain, redisNow: now } = core;
    this.#queues = new JobQueues(redis, now);
    this.#onboardings = new OnboardingStore(redis, settings.retention);
    const deps = {
      ...{ redis, settings, now, queues: this.#queues, dataKeys: keyChain.dataKeys, subjectKey: settings.subjectKey },
      records: new RecordStore(redis, settings.retention),
      cooldownMs: settings.otp.cooldownMs,
    };
    this.#challenges = new Challenges(deps);
    const { persons } = core.metrics;
    for (const { name } of FLOWS) persons.beginOnboardings(name, ONBOARDING_STATES.filter(isOver));
    this.#engine = new Engine({
      ...{ ...deps, onboardings: this.#onboardings, challenges: this.#challenges },
      onOver: (queue, onboarding, { state }, at) => {
        persons.onboardingEnded(onboarding.flow, state);
        if (isFinal(state)) core.tracing?.onboardingEnded(queue, onboarding, state, at);
      },
      isHeld: async (queue, onboarding) => await isHeld(redis, queue, onboarding),
    });
    this.#duty = duty;
    this.#logger = core.logger;
    this.#now = now;
    this.#sweeping = this.#sweep();
  }

  /** News of steps: each only says which onboarding is to be looked at. */
  async stepNews(queue: QueueName, news: readonly ParentNews[]): Promise<void> {
    const [failed] = await this.#advanceAll(queue, [...new Set(news.map(({ parent }) => parent.of))]);
    // oxlint-disable-next-line typescript/only-throw-error -- as it was thrown.
    if (failed !== undefined) throw failed.err;
    this.#rest.abort();
  }

  /** A send has settled whose code came before: that is given now. */
  async earlyNews(queue: QueueName, news: readonly ParentNews[]): Promise<void> {
    for (const { id, state } of news) {
      const code = state === "succeeded" ? await this.#challenges.early(queue, id) : null;
      if (code !== null) {
        await this.#challenges.answer(queue, id, code, "worker").catch((error: unknown) => {
          // It is no code, or comes too late: whoever gave it sees that none was taken.
          if (!(error instanceof SatyapanError) || refusalWord(error) !== null) throw error;
        });
      }
      await this.#challenges.dropEarly(queue, id);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#rest.abort();
    await this.#sweeping;
    await this.#queues.close();
  }

  async #sweep(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#rest = new AbortController();
      let next = Infinity;
      for (const queue of this.#duty.held ? QUEUES : []) {
        try {
          next = Math.min(next, await this.#lookAtDue(queue));
        } catch (err) {
          this.#logger.rarely.warn({ err, queue }, "onboardings were not looked at");
        }
      }
      const restMs = Math.min(Math.max(next - this.#now() - LEAST_MS, 0), EVERY_MS);
      await sleep(LEAST_MS, undefined, { signal, ref: false }).catch(() => {});
      // One signal alone: those made of several stay with the one that lives on.
      await sleep(restMs, undefined, { signal: this.#rest.signal, ref: false }).catch(() => {});
    }
  }

  /** When the next one is due, ms; Infinity: none is. */
  async #lookAtDue(queue: QueueName): Promise<number> {
    const now = this.#now();
    // Each is due later once it was looked at; those that fail stay in front of the others.
    const front = this.#fronts.get(queue);
    const isKept = front !== undefined && (!front.isWhole || now - front.at < EVERY_MS);
    const at = isKept ? front.at : now;
    let passed = isKept ? front.failed : 0;
    for (let goes = 0; goes < MOST_GOES && !this.#stop.signal.aborted; goes += 1) {
      const ids = await this.#onboardings.due(queue, now, MOST_DUE, passed);
      const failed = await this.#advanceAll(queue, ids);
      const [first] = failed;
      if (first !== undefined) this.#logger.rarely.warn({ ...first, queue }, "onboardings were not looked at");
      passed += failed.length;
      if (ids.length === MOST_DUE) continue;
      this.#fronts.set(queue, { failed: passed, at, isWhole: true });
      return (await this.#onboardings.dueAfter(queue, now)) ?? Infinity;
    }
    this.#fronts.set(queue, { failed: passed, at, isWhole: false });
    return now;
  }

  /** Those that failed, when all have been tried. */
  async #advanceAll(queue: QueueName, ids: readonly string[]): Promise<{ onboarding: string; err: unknown }[]> {
    const failed: { onboarding: string; err: unknown }[] = [];
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE);
      const ended = await Promise.allSettled(some.map(async (id) => await this.#engine.advance(queue, id)));
      for (const [index, one] of ended.entries())
        if (one.status === "rejected") failed.push({ onboarding: some[index] ?? "", err: one.reason });
    }
    return failed;
  }
}
