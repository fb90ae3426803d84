import { setTimeout as sleep } from "node:timers/promises";
import { differing, present, printOf, sayGoodbye, type WorkerPrint } from "../src/limits/fleet.ts";
import type { Settings } from "../src/config/settings.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import { type QueueName, queueOf } from "../src/queues/names.ts";
import type { Logger } from "../src/telemetry/logger.ts";

export interface FleetWatchDeps {
  /** A connection of the client's role: it fails fast. */
  readonly redis: RedisClient;
  readonly settings: Settings;
  readonly providers: readonly ProviderName[];
  /** This worker's name among all. */
  readonly id: string;
  readonly logger: Logger;
  /** Between two looks, in ms. Default 30 s: two script runs a minute for each provider. */
  readonly everyMs?: number;
}

const EVERY_MS = 30_000;

interface Watched {
  readonly provider: ProviderName;
  readonly queue: QueueName;
  readonly print: WorkerPrint;
  /** What was logged last. */
  said: string;
}

/** Compares what this worker runs with to what the others of its queues do, and logs a difference once. */
export class FleetWatch {
  readonly #deps: FleetWatchDeps;
  readonly #watched: readonly Watched[];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: FleetWatchDeps) {
    this.#deps = deps;
    this.#watched = deps.providers.flatMap((provider) => {
      const print = printOf(deps.settings, provider);
      return print === null ? [] : [{ provider, queue: queueOf(provider), print, said: "" }];
    });
  }

  /** Resolves after the first look; goes on until `close`. */
  async start(): Promise<void> {
    await this.#look();
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    const { redis, id } = this.#deps;
    await Promise.all(this.#watched.map(async ({ queue }) => await sayGoodbye(redis, queue, id).catch(() => {})));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(this.#deps.everyMs ?? EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { redis, id, logger } = this.#deps;
    for (const one of this.#watched) {
      try {
        const others = await present(redis, one.queue, id, one.print);
        this.#tell(one, differing([one.print, ...others]));
      } catch (err) {
        // The next look tries again, and what waits for Redis is said elsewhere.
        logger.rarely.debug({ err, queue: one.queue }, "other workers not compared");
      }
    }
  }

  #tell(one: Watched, settings: readonly string[]): void {
    const { logger } = this.#deps;
    const { provider } = one;
    const names = settings.join(", ");
    if (names === one.said) return;
    one.said = names;
    if (names === "") logger.rarely.info({ provider }, "all workers run with the same settings again");
    else
      logger.rarely.warn({ provider, settings }, "another worker runs with other settings: give all of them the same");
  }
}
