import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { identityOf, isAlive, type ProcessIdentity } from "../../src/redis/embedded/process-identity.ts";
import { startServer } from "../../src/redis/embedded/process.ts";
import { type Watchdog, watchOver } from "../../test/support/watch-over.ts";

/** What every process of a topology is started with. */
export interface NodeSpace {
  /** `redis-server` or `valkey-server`. */
  readonly program: string;
  /** Each node has a folder of its own in it. */
  readonly folder: string;
  readonly path: string;
  readonly home: string;
}

/** Answers in the shapes of RESP2, and comes back by itself. */
const ADMIN = { replyMapping: "legacy", maxRetriesPerRequest: null, retryStrategy: () => 100 } as const;

/** One Redis process on a port of its own; killed with SIGKILL, frozen with SIGSTOP. Ends with this process, whatever ends it. */
export class RedisNode implements AsyncDisposable {
  readonly port: number;
  /** Over its socket, past every proxy and cluster. */
  readonly admin: Redis;
  readonly #space: NodeSpace;
  readonly #dir: string;
  readonly #args: readonly string[];
  #process: ProcessIdentity | null = null;
  #watchdog: Watchdog | null = null;

  constructor(space: NodeSpace, port: number, args: readonly string[]) {
    this.port = port;
    this.#space = space;
    this.#dir = join(space.folder, `node-${port}`);
    this.#args = args;
    this.admin = new Redis({ ...ADMIN, path: join(this.#dir, "redis.sock"), lazyConnect: true });
    this.admin.on("error", () => {}); // a killed node is what this is about
  }

  async start(): Promise<void> {
    const { program, path, home } = this.#space;
    await mkdir(this.#dir, { recursive: true });
    const socket = join(this.#dir, "redis.sock");
    const bound = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#dir, "--unixsocket", socket];
    const start = {
      program,
      args: [...this.#args, ...bound],
      socket,
      logFile: join(this.#dir, "redis.log"),
      path,
      home,
    };
    await startServer(start, (identity) => {
      this.#process = identity;
      this.#watchdog = watchOver(identity.pid);
    });
  }

  /** Resolves when it is gone; its data stays. */
  async kill9(): Promise<void> {
    const gone = this.#process;
    if (gone === null) return;
    this.#signal("SIGKILL");
    while (isAlive(gone)) await sleep(2);
    this.#process = null;
    this.#watchdog?.release();
  }

  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.admin.disconnect();
    await this.kill9();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process ?? {};
    // Never another process that was given its number meanwhile.
    if (pid !== undefined && identityOf(pid)?.pid === pid) process.kill(pid, signal);
  }
}
