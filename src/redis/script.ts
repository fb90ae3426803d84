import { createHash } from "node:crypto";
import type { RedisClient } from "./connection.ts";

/** One Lua script: atomic, one round trip. Sent by its digest; in full only where the server does not know it yet. */
export class LuaScript {
  readonly #source: string;
  readonly #sha: string;

  constructor(source: string) {
    this.#source = source;
    this.#sha = createHash("sha1").update(source).digest("hex");
  }

  async run(redis: RedisClient, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await redis.eval(this.#source, keys.length, ...keys, ...args);
    }
  }

  /** Many runs in one pipeline; every key must be of one hash slot. Rejects with the first error. */
  async runMany(
    redis: RedisClient,
    runs: readonly { readonly keys: readonly string[]; readonly args: readonly (string | number)[] }[],
  ): Promise<unknown[]> {
    if (runs.length === 0) return [];
    const pipeline = redis.pipeline();
    // The first run carries the source, so that a server that forgot the script (restart, failover) knows the rest.
    for (const [index, { keys, args }] of runs.entries()) {
      if (index === 0) pipeline.eval(this.#source, keys.length, ...keys, ...args);
      else pipeline.evalsha(this.#sha, keys.length, ...keys, ...args);
    }
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply;
    });
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
