import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import { parseRedisUrl } from "../../src/redis/url.ts";
import { readTestEnv } from "./env.ts";
import { LocalServer } from "./local-server.ts";
import { assertNothingLeaked } from "./leaks.ts";
import type { TestServer } from "./test-server.ts";

export interface TestRedisOptions {
  /**
   * Why numbers that look like Aadhaar are in this Redis on purpose. Without it a test fails that leaves one: in the AOF is
   * all that was ever written.
   */
  readonly plants?: string;
}

/** For what is not in the AOF yet, in ms; a Redis that was frozen says nothing. */
const WRITE_DOWN_MS = 10_000;

/** A Redis of one test's own: AOF on, its own socket or port, its own folder, gone when it is disposed of. */
export class TestRedis implements AsyncDisposable {
  readonly url: string;
  /** Where its AOF is. */
  readonly dir: string;
  readonly #server: TestServer;
  readonly #plants: boolean;
  readonly #clients: Redis[] = [];

  constructor(server: TestServer, dir: string, { plants }: TestRedisOptions = {}) {
    this.#server = server;
    this.#plants = plants !== undefined;
    this.url = server.url;
    this.dir = dir;
  }

  /** A connection that waits for ever, as BullMQ's workers need it; closed with this Redis. */
  client(options: RedisOptions = {}): Redis {
    const target = parseRedisUrl(this.url);
    const place = target.kind === "unix" ? { path: target.path } : target.kind === "standalone" ? target.address : {};
    const client = new Redis({ maxRetriesPerRequest: null, ...place, ...options, replyMapping: "legacy" });
    client.on("error", () => {}); // Tests take Redis away on purpose; what matters shows in the commands.
    this.#clients.push(client);
    return client;
  }

  /** Stops it with everything written down, and starts it again with its data and its address. Also after `kill9`. */
  async restart(): Promise<void> {
    await this.#server.end("shutdown");
    await this.#server.start();
  }

  /** It is gone when this resolves, all that it answered stays; `restart` brings it back. */
  async kill9(): Promise<void> {
    // With `everysec` it holds writes back in its memory for up to 2 s while an earlier fsync is under way on a busy disk.
    const client = this.client({ maxRetriesPerRequest: 0, commandTimeout: WRITE_DOWN_MS });
    await client.config("SET", "appendfsync", "always").catch(() => {});
    client.disconnect();
    await this.#server.end("kill");
  }

  /** Everything that is in the AOF now, all its files: what a thief of the disk would read. */
  async aofText(): Promise<string> {
    const files = await readdir(this.dir, { recursive: true });
    const parts = files.filter((file) => /\.(aof|rdb)$/.test(file)).toSorted();
    const texts = await Promise.all(parts.map((file) => readFile(join(this.dir, file), "utf8")));
    return texts.join("\n");
  }

  /** For ever, with its data. Throws where a person's number was written to it. */
  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect();
    await this.#server.remove();
    try {
      if (!this.#plants) await assertNothingLeaked(this.dir);
    } finally {
      await rm(this.dir, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** From Docker where `TEST_REDIS=docker` and an engine answers, otherwise a server of this machine (design §7). */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "satyapan-test-"));
  const server = (readTestEnv().redis === "docker" ? await inDocker(dir) : null) ?? (await LocalServer.create(dir));
  await server.start();
  return new TestRedis(server, dir, options);
}

/** Loaded only where it is asked for: testcontainers takes a second. */
async function inDocker(dir: string): Promise<TestServer | null> {
  const { DockerServer } = await import("./docker-server.ts");
  return DockerServer.create(dir, readTestEnv().redisImage);
}
