import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Machine } from "../src/redis/embedded/machine.ts";
import { isAlive, type ProcessIdentity } from "../src/redis/embedded/process-identity.ts";
import { type ServerStart, startServer } from "../src/redis/embedded/process.ts";
import { findRedisServer } from "../src/redis/embedded/server.ts";
import { type Watchdog, watchOver } from "../test/support/watch-over.ts";

/**
 * With `everysec` a killed Redis forgets what it has acknowledged while an fsync was under way (it then writes up to 2 s
 * later): jobs, permits, attempts. With `always` it has written everything that it has acknowledged.
 */
export const FSYNCS = ["always", "everysec"] as const;
export type Fsync = (typeof FSYNCS)[number];

/** More replicas than it has: it refuses every write, and answers every read. */
const REFUSING = ["CONFIG", "SET", "min-replicas-to-write", "9"] as const;
const TAKING = ["CONFIG", "SET", "min-replicas-to-write", "0"] as const;

/** A Redis of the run's own, with an AOF, that is killed and comes back with what the AOF has. */
export class ChaosRedis implements AsyncDisposable {
  readonly socket: string;
  readonly #start: ServerStart;
  #process: ProcessIdentity | null = null;
  #watchdog: Watchdog | null = null;
  readonly #onExit = (): void => this.#kill();

  private constructor(start: ServerStart) {
    this.#start = start;
    this.socket = start.socket;
    process.once("exit", this.#onExit);
  }

  static async start(machine: Machine, folder: string, fsync: Fsync): Promise<ChaosRedis> {
    const socket = join(folder, "redis.sock");
    const args = {
      "--port": "0",
      "--unixsocket": socket,
      "--dir": folder,
      "--save": "",
      "--appendonly": "yes",
      "--appendfsync": fsync,
      "--maxmemory-policy": "noeviction",
    };
    const { path, home } = machine;
    const program = await findRedisServer(machine);
    const logFile = join(folder, "redis.log");
    const redis = new ChaosRedis({ program, args: Object.entries(args).flat(), socket, logFile, path, home });
    await redis.#run();
    return redis;
  }

  /** Resolves when it answers again. */
  async killAndRestart(): Promise<void> {
    await this.#end();
    await this.#run();
  }

  /** Answers each write with NOREPLICAS for so long, or until it is killed: it comes back taking them. */
  async refuseWrites(forMs: number): Promise<void> {
    const admin = new Redis({ path: this.socket, lazyConnect: true, retryStrategy: () => null });
    admin.on("error", () => {}); // one that is killed meanwhile is not asked again
    try {
      await admin.call(...REFUSING);
      await sleep(forMs);
      await admin.call(...TAKING);
    } catch {
      // Killed: what was set has gone with it.
    } finally {
      admin.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    await this.#end();
  }

  async #run(): Promise<void> {
    await startServer(this.#start, (identity) => {
      this.#process = identity;
      this.#watchdog = watchOver(identity.pid);
    });
  }

  async #end(): Promise<void> {
    this.#kill();
    while (this.#process !== null && isAlive(this.#process)) await sleep(2);
    this.#watchdog?.release();
  }

  #kill(): void {
    if (this.#process !== null && isAlive(this.#process)) process.kill(this.#process.pid, "SIGKILL");
  }
}
