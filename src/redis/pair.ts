import type { Secret } from "../secrets/secret.ts";
import type { RedisAccess } from "./access.ts";
import type { RedisClient, RedisRole } from "./connection.ts";
import type { RedisSetting } from "./url.ts";

export interface RedisUrls {
  readonly redisUrl: Secret | null;
  /** Null: the data keys are in the Redis of the jobs. */
  readonly keysRedisUrl: Secret | null;
  /** Which of the two `redisUrl` is, for messages. */
  readonly redisSetting?: RedisSetting;
}

/** The settings by which each Redis is opened: that of the jobs, and that of the data keys where it is another. */
export function redisSettingsOf<S extends RedisUrls>(settings: S): readonly S[] {
  const { keysRedisUrl } = settings;
  return keysRedisUrl === null
    ? [settings]
    : [settings, { ...settings, redisUrl: keysRedisUrl, redisSetting: "KEYS_REDIS_URL" }];
}

/** The Redis of the jobs and that of the data keys: one and the same, unless KEYS_REDIS_URL names another. */
export class RedisPair implements AsyncDisposable {
  readonly jobs: RedisAccess;
  readonly keys: RedisAccess;

  private constructor(jobs: RedisAccess, keys: RedisAccess) {
    this.jobs = jobs;
    this.keys = keys;
  }

  /** `open` opens the one that `redisUrl` of the given settings names. */
  static async open<S extends RedisUrls>(settings: S, open: (of: S) => Promise<RedisAccess>): Promise<RedisPair> {
    const [, ofKeys] = redisSettingsOf(settings);
    const jobs = await open(settings);
    try {
      return new RedisPair(jobs, ofKeys === undefined ? jobs : await open(ofKeys));
    } catch (error) {
      await jobs.close();
      throw error;
    }
  }

  get areApart(): boolean {
    return this.jobs !== this.keys;
  }

  /** A connection to each, which is closed with this; the same one where it is one Redis. */
  connect(role: RedisRole): { readonly redis: RedisClient; readonly keysRedis: RedisClient } {
    const redis = this.jobs.connect(role);
    return { redis, keysRedis: this.areApart ? this.keys.connect(role) : redis };
  }

  /** Never hangs, also while Redis is away. */
  async close(): Promise<void> {
    await Promise.all([...new Set([this.jobs, this.keys])].map(async (access) => await access.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
