import { ready, type RedisClient } from "../../src/redis/connection.ts";
import { SETTLED_CHANNEL } from "../../src/queues/names.ts";

/**
 * Hears of jobs that reach a terminal state, over one subscribed connection for all who wait. A message can be lost while
 * a connection is re-made, so whoever waits also reads the states from time to time.
 */
export class SettledListener {
  readonly #redis: RedisClient;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #hearers = new Set<(ids: readonly string[]) => void>();
  #subscribed: Promise<void> | null = null;

  /** `redis`: a connection of its own; a subscribed one can do nothing else. */
  constructor(redis: RedisClient) {
    this.#redis = redis;
    redis.on("message", (_channel: string, message: string) => {
      const ids = message.split(" ");
      for (const id of ids) for (const wake of this.#waiting.get(id) ?? []) wake();
      for (const hear of this.#hearers) hear(ids);
    });
  }

  /** Resolves when messages arrive from now on. Rejects with SatyapanError `redis-unreachable`. */
  async subscribe(): Promise<void> {
    this.#subscribed ??= this.#subscribe();
    try {
      await this.#subscribed;
    } catch (error) {
      this.#subscribed = null;
      throw error;
    }
  }

  /** Calls `wake` for each message of this job until the returned function is called. */
  listen(id: string, wake: () => void): () => void {
    const wakes = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, wakes.add(wake));
    return () => {
      wakes.delete(wake);
      if (wakes.size === 0) this.#waiting.delete(id);
    };
  }

  /** Calls `hear` with the ids of each message, of whichever jobs, until the returned function is called. */
  listenToAll(hear: (ids: readonly string[]) => void): () => void {
    this.#hearers.add(hear);
    return () => void this.#hearers.delete(hear);
  }

  /** So that those who wait notice that the connection is closed. */
  wakeAll(): void {
    for (const wakes of this.#waiting.values()) for (const wake of wakes) wake();
  }

  async #subscribe(): Promise<void> {
    await ready(this.#redis);
    await this.#redis.subscribe(SETTLED_CHANNEL);
  }
}
