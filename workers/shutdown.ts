import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Providers } from "./calls.ts";
import type { QueueWorker } from "../src/queues/queue-worker.ts";

/** The longest wait for one thing to close when nothing runs any more, in ms: Redis may be away and never answer. */
const CLOSE_MS = 2_000;

export interface ShutdownDeps {
  readonly workers: readonly QueueWorker[];
  readonly connection: RedisClient;
  readonly providers: Providers;
  readonly graceMs: number;
  /** Closes all else. */
  readonly close: () => Promise<void>;
}

/** The end of a worker, in three steps: no more jobs, then no more calls, then nothing that Redis would have to answer. */
export class Shutdown {
  readonly #stopping = new AbortController();
  readonly #aborting = new AbortController();
  readonly #givenUp = new AbortController();
  #running = 0;

  /** Aborted when no job is begun any more. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Aborted when calls have to end at once. */
  get aborting(): AbortSignal {
    return this.#aborting.signal;
  }

  /** Aborted when outcomes that are not written are lost. */
  get givenUp(): AbortSignal {
    return this.#givenUp.signal;
  }

  /** Work that a stop lets finish, if it can. */
  async awaited<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
    }
  }

  /** Never rejects; `false` where something was left behind. */
  async stop({ workers, connection, providers, graceMs, close }: ShutdownDeps): Promise<boolean> {
    this.#stopping.abort();
    const isAway = connection.status !== "ready";
    const closed = Promise.all(workers.map(async (worker) => await worker.close(isAway))).then(() => !isAway);
    // BullMQ's close hangs while Redis is away (facts/bullmq §0.12); with nothing running there is nothing to wait for.
    const hopeless = new AbortController();
    const gone = untilHopeless(() => this.#running === 0 && connection.status !== "ready", hopeless.signal);
    const late = sleep(graceMs, false, { ref: false });
    let clean = await Promise.race([closed, gone, late]);
    if (!clean) {
      this.#aborting.abort();
      providers.abort();
      clean = await Promise.race([closed, sleep(CLOSE_MS, false, { ref: false })]);
      // What is still unwritten says so, job by job.
      this.#givenUp.abort();
      await setImmediate();
    }
    hopeless.abort();
    await Promise.race([close(), sleep(2 * CLOSE_MS, undefined, { ref: false })]);
    return clean;
  }
}

/** Resolves with the work, or after `CLOSE_MS` without it. */
export async function closeInTime(work: Promise<unknown>): Promise<void> {
  await Promise.race([work, sleep(CLOSE_MS, undefined, { ref: false })]);
}

/** Resolves `false` once `isHopeless` holds for half a second; never if aborted before. */
async function untilHopeless(isHopeless: () => boolean, signal: AbortSignal): Promise<false> {
  for (let times = 0; times < 5; times = isHopeless() ? times + 1 : 0) {
    if (signal.aborted) return await new Promise<never>(() => {});
    await sleep(100, undefined, { ref: false });
  }
  return false;
}
