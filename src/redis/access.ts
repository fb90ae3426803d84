import { join } from "node:path";
import { closeRedis, connectRedis, type RedisClient, type RedisRole } from "./connection.ts";
import { type EmbeddedRedis, openEmbeddedRedis } from "./embedded/embedded-redis.ts";
import type { Machine } from "./embedded/machine.ts";
import type { RedisSettings } from "./settings.ts";
import { PLAIN_TLS, type RedisTls } from "./tls.ts";
import { describeRedis, parseRedisUrl, type RedisSetting, type RedisTarget } from "./url.ts";

export interface RedisAccessOptions {
  /** `redisTls`: for `rediss://`; none by default. */
  readonly settings: Pick<RedisSettings, "redisUrl"> & { readonly redisTls?: RedisTls } & Pick<
      RedisSettings,
      "redisSetting"
    >;
  /** The folder of the embedded Redis, `.satyapan`. */
  readonly stateDir: string;
  readonly machine: Machine;
  /** Hears of every connection's errors. */
  readonly onError: (error: Error) => void;
  /** Told before something takes long: a download. */
  readonly say?: (line: string) => void;
}

/**
 * Where this process finds its Redis: the one of `REDIS_URL`, or the embedded one of this folder, which is started if
 * nobody runs it yet and stopped by whoever leaves last (design §7).
 */
export class RedisAccess {
  readonly target: RedisTarget;
  /** Counts only where the target says TLS. */
  readonly tls: RedisTls;
  readonly #setting: RedisSetting;
  readonly #embedded: EmbeddedRedis | null;
  readonly #clients: RedisClient[] = [];
  readonly #onError: (error: Error) => void;

  private constructor(
    target: RedisTarget,
    tls: RedisTls,
    setting: RedisSetting,
    embedded: EmbeddedRedis | null,
    onError: (error: Error) => void,
  ) {
    this.target = target;
    this.tls = tls;
    this.#setting = setting;
    this.#embedded = embedded;
    this.#onError = onError;
  }

  static async open({ settings, stateDir, machine, onError, say }: RedisAccessOptions): Promise<RedisAccess> {
    const { redisUrl, redisTls = PLAIN_TLS, redisSetting = "REDIS_URL" } = settings;
    if (redisUrl !== null)
      return new RedisAccess(parseRedisUrl(redisUrl.open()), redisTls, redisSetting, null, onError);
    const embedded = await openEmbeddedRedis({ dir: stateDir, machine, ...(say === undefined ? {} : { say }) });
    return new RedisAccess({ kind: "unix", path: embedded.path }, PLAIN_TLS, redisSetting, embedded, onError);
  }

  /** A connection that is closed with this access. */
  connect(role: RedisRole): RedisClient {
    const client = connectRedis(this.target, role, this.#onError, this.tls, this.#setting);
    this.#clients.push(client);
    return client;
  }

  describe(): string {
    return describeRedis(this.target);
  }

  /** Never hangs, also while Redis is away. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map(closeRedis));
    await this.#embedded?.close();
  }
}

/** The folder that the commands of one working folder share. */
export function stateDirOf(workingDir: string): string {
  return join(workingDir, ".satyapan");
}
