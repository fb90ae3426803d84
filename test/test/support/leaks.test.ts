import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SIMULATOR_CREDENTIALS } from "../../../simulator/credentials.ts";
import { startTestRedis } from "../../support/redis.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

/** Made up: no real person's. */
const NUMBER = "234123412346";

describe("a test's Redis that is stopped", () => {
  it.each([
    ["a number in a value", async (set: (key: string, value: string) => Promise<unknown>) => await set("key", NUMBER)],
    ["a number in a key", async (set: (key: string, value: string) => Promise<unknown>) => await set(NUMBER, "x")],
    [
      "a secret of the simulator",
      async (set: (key: string, value: string) => Promise<unknown>) =>
        await set("key", Buffer.from(SIMULATOR_CREDENTIALS.eko.accessKey).toString("base64")),
    ],
  ])("fails its test for %s, also one that is gone, and is removed all the same", async (_, plant) => {
    const redis = await startTestRedis();
    const client = redis.client();
    await plant(async (key, value) => await client.set(key, value));
    await client.flushall();
    await redis.kill9();
    await expect(redis.stop()).rejects.toThrow(/^this test left [12] in clear: .+ in \S+\.aof:\d+/);
    expect(existsSync(redis.dir)).toBe(false);
  });

  it("does not where the test says why", async () => {
    await using redis = await startTestRedis({ plants: "to see that this is allowed" });
    await redis.client().set("key", NUMBER);
  });

  it("does not for what a job leaves: ids, times, sealed texts", async () => {
    await using redis = await startTestRedis();
    await redis
      .client()
      .hset("satyapan:{eko-0}:job:mi8abcde0k3jf8a7dlq2", { created: Date.now(), input: "s2.k.aGVsbG8" });
  });
});

describe("a folder of a test's own", () => {
  it("fails its test where an embedded Redis left a number in it, and is removed all the same", async () => {
    const dir = await makeTempDir();
    await mkdir(join(dir.path, ".satyapan"));
    await writeFile(join(dir.path, ".satyapan/appendonly.aof"), `$12\r\n${NUMBER}\r\n`);
    await expect(dir[Symbol.asyncDispose]()).rejects.toThrow(/^this test left 1 in clear: .+ in \S+appendonly\.aof:5/);
    expect(existsSync(dir.path)).toBe(false);
  });

  it("may hold a test's own files", async () => {
    await using dir = await makeTempDir();
    await writeFile(join(dir.path, "input.csv"), NUMBER);
  });
});
