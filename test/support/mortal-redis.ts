import type { Redis } from "ioredis";

/** What happens to a process at one of its commands. */
export type Fate = "dies before" | "dies after" | "freezes";

/** Commands that are sent at once, and those that a pipeline sends with `exec`. */
const PIPELINES: ReadonlySet<string> = new Set(["pipeline", "multi"]);
const SENT = new Set([
  ...[
    "evalsha",
    "eval",
    "get",
    "hget",
    "hgetall",
    "hgetBuffer",
    "getrange",
    "zrange",
    "zrevrange",
    "incr",
    "hset",
    "unlink",
  ],
]);

/**
 * A connection whose process ends, or stands still, at the n-th of its commands: from there on nothing of it reaches Redis, but
 * for what it sent just before it died, and whatever it still sends when it goes on after a while.
 */
export class MortalRedis {
  readonly client: Redis;
  sent = 0;
  readonly #fate: Fate;
  readonly #at: number;
  readonly #struck = Promise.withResolvers<void>();
  readonly #thaw = Promise.withResolvers<void>();
  #isDead = false;

  constructor(redis: Redis, fate: Fate, at: number) {
    this.#fate = fate;
    this.#at = at;
    const send = async (work: () => Promise<unknown>): Promise<unknown> => await this.#send(work);
    this.client = new Proxy(redis, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function" || typeof name !== "string") return value;
        const call = value.bind(target) as (...args: readonly unknown[]) => unknown;
        if (PIPELINES.has(name)) return () => mortalPipeline(call() as Pipeline, send);
        return SENT.has(name) ? async (...args: unknown[]) => await send(async () => await call(...args)) : call;
      },
    });
  }

  /** Resolves when it happened. */
  get struck(): Promise<void> {
    return this.#struck.promise;
  }

  /** It goes on where it stood. */
  thaw(): void {
    this.#thaw.resolve();
  }

  async #send(work: () => Promise<unknown>): Promise<unknown> {
    this.sent += 1;
    if (this.#isDead) throw new Error("Connection is closed.");
    if (this.sent !== this.#at) return await work();
    if (this.#fate === "freezes") {
      this.#struck.resolve();
      await this.#thaw.promise;
      return await work();
    }
    this.#isDead = true;
    try {
      if (this.#fate === "dies after") await work();
    } finally {
      this.#struck.resolve();
    }
    throw new Error("Connection is closed.");
  }
}

interface Pipeline {
  exec(): Promise<unknown>;
}

function mortalPipeline(pipeline: Pipeline, send: (work: () => Promise<unknown>) => Promise<unknown>): Pipeline {
  const exec = pipeline.exec.bind(pipeline);
  pipeline.exec = async () => await send(exec);
  return pipeline;
}
