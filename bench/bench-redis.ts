import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Machine } from "../src/redis/embedded/machine.ts";
import { BULLMQ_PREFIX } from "../src/queues/names.ts";
import { isAlive, type ProcessIdentity } from "../src/redis/embedded/process-identity.ts";
import { startServer } from "../src/redis/embedded/process.ts";
import { findRedisServer } from "../src/redis/embedded/server.ts";
import { parseUsage, type RedisUsage } from "./redis-usage.ts";
import { QUEUE } from "./side.ts";

const ACTIVE = `${BULLMQ_PREFIX}:${QUEUE}:active`;
/** Between two looks at the jobs that are under way, in ms. */
const LOOK_MS = 1;

/** A Redis of one round's own, on a Unix socket in a folder of its own, which is gone with it. */
export class BenchRedis implements AsyncDisposable {
  /** For logs and the like. */
  readonly folder: string;
  readonly socket: string;
  readonly client: Redis;
  readonly #process: ProcessIdentity;
  /** It is of its own session: it would outlive a bench that is ended. */
  readonly #onExit = (): void => {
    this.#kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  };

  private constructor(folder: string, socket: string, identity: ProcessIdentity) {
    this.folder = folder;
    this.socket = socket;
    this.#process = identity;
    this.client = new Redis({ path: socket, replyMapping: "legacy" });
    process.once("exit", this.#onExit);
  }

  static async start(machine: Machine, aof: boolean): Promise<BenchRedis> {
    const folder = await mkdtemp(join(machine.tmpDir, "satyapan-bench-"));
    const socket = join(folder, "redis.sock");
    const args = {
      "--port": "0",
      "--unixsocket": socket,
      "--dir": folder,
      "--save": "",
      "--appendonly": aof ? "yes" : "no",
      "--appendfsync": "everysec",
      "--auto-aof-rewrite-percentage": "0", // a rewrite in one round and none in the other would be noise
      "--maxmemory-policy": "noeviction",
    };
    const { path, home } = machine;
    const program = await findRedisServer(machine);
    const start = {
      program,
      args: Object.entries(args).flat(),
      socket,
      logFile: join(folder, "redis.log"),
      path,
      home,
    };
    let identity: ProcessIdentity | null = null;
    await startServer(start, (started) => (identity = started));
    if (identity === null) throw new TypeError("a server that answers has a process");
    return new BenchRedis(folder, socket, identity);
  }

  async usage(): Promise<RedisUsage> {
    return parseUsage(await this.client.info("cpu", "commandstats"));
  }

  /** Resolves when no job is under way, with the number of looks that took. */
  async settled(): Promise<number> {
    let looks = 1;
    for (; (await this.client.llen(ACTIVE)) > 0; looks++) await sleep(LOOK_MS);
    return looks;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.disconnect();
    process.off("exit", this.#onExit);
    this.#kill();
    while (isAlive(this.#process)) await sleep(2);
    await rm(this.folder, { recursive: true, force: true });
  }

  #kill(): void {
    if (isAlive(this.#process)) process.kill(this.#process.pid, "SIGKILL");
  }
}
