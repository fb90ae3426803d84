import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, type ProcessIdentity } from "../../src/redis/embedded/process-identity.ts";
import { startServer, stopServer } from "../../src/redis/embedded/process.ts";
import { findRedisServer } from "../../src/redis/embedded/server.ts";
import { readTestEnv } from "./env.ts";
import { TEST_REDIS_ARGS, type TestServer } from "./test-server.ts";
import { type Watchdog, watchOver } from "./watch-over.ts";

/** A Redis process on a Unix socket in its folder: no port that another test could take while it is restarted. */
export class LocalServer implements TestServer, AsyncDisposable {
  readonly url: string;
  readonly #program: string;
  readonly #socket: string;
  readonly #log: string;
  readonly #args: readonly string[];
  #process: ProcessIdentity | null = null;
  #watchdog: Watchdog | null = null;

  private constructor(program: string, dir: string, args: readonly string[]) {
    this.#program = program;
    this.#socket = join(dir, "redis.sock");
    this.#log = join(dir, "redis.log");
    this.#args = [...args, "--dir", dir, "--unixsocket", this.#socket];
    this.url = `unix://${this.#socket}`;
  }

  /** `args` replace the usual ones of a test's Redis. */
  static async create(
    dir: string,
    args: readonly string[] = ["--port", "0", ...TEST_REDIS_ARGS],
  ): Promise<LocalServer> {
    return new LocalServer(await findRedisServer(readTestEnv().machine), dir, args);
  }

  async start(): Promise<void> {
    const { path, home } = readTestEnv().machine;
    const command = { program: this.#program, args: this.#args, socket: this.#socket, logFile: this.#log, path, home };
    await startServer(command, (identity) => {
      this.#process = identity;
      this.#watchdog = watchOver(identity.pid);
    });
  }

  async end(how: "shutdown" | "kill"): Promise<void> {
    this.#watchdog?.release();
    if (how === "shutdown") await stopServer(this.#socket, this.#process, this.#log);
    this.#kill();
    while (this.#process !== null && isAlive(this.#process)) await sleep(2);
    this.#process = null;
  }

  async remove(): Promise<void> {
    await this.end("kill");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  #kill(): void {
    if (this.#process !== null && isAlive(this.#process)) process.kill(this.#process.pid, "SIGKILL");
  }
}
