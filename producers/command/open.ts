import { openRedis, openRedisPair } from "../../src/command/redis.ts";
import { loadSettings } from "../../src/command/settings.ts";
import type { CommandContext } from "../../src/command/context.ts";
import type { Settings } from "../../src/config/settings.ts";
import { ready } from "../../src/redis/connection.ts";
import type { SpansLost } from "../base/submit-spans.ts";
import { Client } from "../client.ts";
import { connectKeys } from "../keys/connect-keys.ts";
import type { KeyDeps, UseKeys } from "../keys/key-deps.ts";
import { redisFailure } from "../../src/redis/failure.ts";

/** The client of a command: connections are made at first use, so wrong input is told before Redis is asked. */
export function openClient(context: CommandContext): Client {
  const settings = loadSettings(context);
  const { now, actor, stderr, machine } = context;
  let isSaid = false;
  const onSpansLost = ({ code }: SpansLost): void => {
    if (isSaid) return;
    isSaid = true;
    stderr.write(`satyapan: the trace of this is not told: OTEL_EXPORTER_OTLP_ENDPOINT takes no spans (${code})\n`);
  };
  return new Client({
    ...{ settings, now, actor, onSpansLost, tmpDir: machine.tmpDir },
    openRedis: async (of) => await openRedis(context, of),
  });
}

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
        throw await redisFailure(error, deps.redis);
      }
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  async #open(): Promise<KeyDeps> {
    const pair = this.#opened.use(await openRedisPair(this.#context, this.#settings));
    const { redis, keysRedis } = pair.connect("client");
    await ready(redis);
    if (pair.areApart) await ready(keysRedis);
    return connectKeys(redis, keysRedis, this.#settings, this.#context.now, this.#context.actor);
  }
}
