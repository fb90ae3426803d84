import { openRedis } from "../../src/command/redis.ts";
import { loadSettings } from "../../src/command/settings.ts";
import type { CommandContext } from "../../src/command/context.ts";
import type { Settings } from "../../src/config/settings.ts";
import { ready, type RedisClient } from "../../src/redis/connection.ts";
import { connectKeys } from "../keys/connect-keys.ts";
import type { KeyDeps, UseKeys } from "../keys/key-deps.ts";
import { redisFailure } from "../../src/redis/failure.ts";

/** A command's keys: connected at first use, so that wrong input is told before Redis is asked. */
export class OpenKeys implements AsyncDisposable {
  readonly use: UseKeys;
  readonly #context: CommandContext;
  readonly #settings: Settings;
  readonly #opened = new AsyncDisposableStack();
  #opening: Promise<KeyDeps> | null = null;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#settings = loadSettings(context);
    this.use = async (work) => {
      this.#opening ??= this.#open();
      const deps = await this.#opening;
      try {
        return await work(deps);
      } catch (error) {
        const { redis, keysRedis } = deps;
        throw await redisFailure(error, keysRedis.status === "ready" ? redis : keysRedis);
      }
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  async #open(): Promise<KeyDeps> {
    const { keysRedisUrl } = this.#settings;
    const redis = await this.#connect(this.#settings);
    const keysRedis =
      keysRedisUrl === null ? redis : await this.#connect({ ...this.#settings, redisUrl: keysRedisUrl });
    return connectKeys(redis, keysRedis, this.#settings, this.#context.now, this.#context.actor);
  }

  async #connect(settings: Settings): Promise<RedisClient> {
    const access = await openRedis(this.#context, settings);
    this.#opened.defer(async () => await access.close());
    const redis = access.connect("client");
    await ready(redis);
    return redis;
  }
}
