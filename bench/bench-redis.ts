import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Machine } from "../src/redis/embedded/machine.ts";
import { isAlive, type ProcessIdentity } from "../src/redis/embedded/process-identity.ts";
import { startServer } from "../src/redis/embedded/process.ts";
import { findRedisServer } from "../src/redis/embedded/server.ts";
import { type Watchdog, watchOver } from "../test/support/watch-over.ts";
import { parseUsage, type RedisUsage } from "./redis-usage.ts";
import { LOOK_MS, type OwnCommands, type Store } from "./store.ts";

/** A Redis of one side's own, on a Unix socket in a folder of its own, which is gone with it. */
export class BenchRedis implements Store {
  readonly folder: string;
  /** Of its socket. */
  readonly address: string;
  readonly client: Redis;
  readonly #process: ProcessIdentity;
  readonly #watchdog: Watchdog;
  readonly #active: string;
  /** It is of its own session: it would outlive a bench that is ended. */
  readonly #onExit = (): void => {
    this.#kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  };

  private constructor(folder: string, socket: string, identity: ProcessIdentity, active: string) {
    this.folder = folder;
    this.address = socket;
    this.#active = active;
    this.#process = identity;
    this.#watchdog = watchOver(identity.pid);
    this.client = new Redis({ path: socket, replyMapping: "legacy" });
    process.once("exit", this.#onExit);
  }

  /** `active`: the list of the jobs that are under way. */
  static async start(machine: Machine, aof: boolean, active: string): Promise<BenchRedis> {
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
      "--hash-max-ziplist-value": "1024", // as the embedded one and that of the compose file
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
    return new BenchRedis(folder, socket, identity, active);
  }

  async usage(): Promise<RedisUsage> {
    return parseUsage(await this.client.info("cpu", "commandstats"));
  }

  async settled(): Promise<OwnCommands> {
    let looks = 1;
    for (; (await this.client.llen(this.#active)) > 0; looks++) await sleep(LOOK_MS);
    return { llen: looks };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.disconnect();
    process.off("exit", this.#onExit);
    this.#kill();
    while (isAlive(this.#process)) await sleep(2);
    this.#watchdog.release();
    await rm(this.folder, { recursive: true, force: true });
  }

  #kill(): void {
    if (isAlive(this.#process)) process.kill(this.#process.pid, "SIGKILL");
  }
}
