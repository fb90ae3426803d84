import { appendFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import type { Finding } from "../../../../src/secrets/found.ts";
import { Needles } from "../../../../src/privacy/scan/needles.ts";
import { redisFiles } from "../../../../src/privacy/scan/redis-files.ts";
import { type FileCounts, FileScan } from "../../../../src/privacy/scan/scan-files.ts";
import { Scanner } from "../../../../src/privacy/scan/scanner.ts";
import { parseRedisUrl } from "../../../../src/redis/url.ts";
import { startTestRedis } from "../../../support/redis.ts";
import { makeTempDir, type TempDir } from "../../../support/temp-dir.ts";

/** Made up: no real person's. */
const NUMBER = "234123412346";
const SECRET = "planted-access-key";
const SCANNER = new Scanner(new Needles([{ kind: "secret", name: "eko.accessKey", value: SECRET }]));

let dir: TempDir;
beforeEach(async () => {
  dir = await makeTempDir();
});
afterEach(async () => await dir[Symbol.asyncDispose]());

interface Scanned {
  readonly findings: readonly Finding[];
  readonly counts: FileCounts;
  /** Places without the folder. */
  readonly places: readonly string[];
}

async function scan(...paths: readonly string[]): Promise<Scanned> {
  const findings: Finding[] = [];
  const files = new FileScan({ scanner: SCANNER, onFinding: (finding) => findings.push(finding) });
  for (const path of paths) await files.path(path);
  expect(JSON.stringify(findings)).not.toContain(NUMBER);
  return { findings, counts: files.counts, places: findings.map(({ place }) => place.replace(`${dir.path}/`, "")) };
}

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(dir.path, name);
  await writeFile(path, content);
  return path;
}

describe("a file", () => {
  it("is told with the place of what is in it", async () => {
    const log = await write("worker.log", `{"level":30,"msg":"sent to ${NUMBER}"}\n{"key":"${SECRET}"}\n`);
    const { findings, places, counts } = await scan(log);
    expect(places).toEqual(["worker.log:27", "worker.log:50"]);
    expect(findings.map(({ source, kind, shown }) => [source, kind, shown])).toEqual([
      ["file", "aadhaar", "XXXX XXXX 2346"],
      ["file", "secret", "********"],
    ]);
    expect(counts).toEqual({ files: 1, bytes: 71, unreadable: [] });
  });

  it("of many megabytes is read in pieces, and nothing is cut in two at their seams", async () => {
    const line = `{"time":1763726400000,"id":"mi8abcde0k3jf8a7dlq2"}\n`;
    const path = await write("long.log", "");
    let size = 0;
    const planted: number[] = [];
    // Around each seam of 4 MiB one that ends before it, one across, one that begins at it.
    for (let seam = 1; seam <= 3; seam++) {
      for (const at of [seam * 4_194_304 - 20, seam * 4_194_304 - 5, seam * 4_194_304 + 9]) {
        const gap = at - size;
        const filler = line.repeat(Math.floor(gap / line.length)).padEnd(gap, ".");
        await appendFile(path, filler + NUMBER);
        planted.push(at);
        size = at + NUMBER.length;
      }
    }
    const { places, counts } = await scan(path);
    expect(places).toEqual(planted.map((at) => `long.log:${at}`));
    expect(counts.bytes).toBe(size);
  });

  it("is unpacked where it is a .gz", async () => {
    expect((await scan(await write("old.log.gz", gzipSync(`old ${NUMBER}\n`)))).places).toEqual(["old.log.gz:4"]);
  });

  it("is found by its name as well, which is masked", async () => {
    const { places } = await scan(await write(`${NUMBER}.csv`, `${NUMBER}\n`));
    expect(places).toEqual([expect.stringMatching(/^the name of .*XXXX XXXX 2346\.csv$/), "XXXX XXXX 2346.csv:0"]);
  });

  it.each(["", "a", NUMBER.slice(0, 11), "\u0000".repeat(100)])("may hold %j", async (content) => {
    expect((await scan(await write("a", content))).findings).toEqual([]);
  });

  it("that is not there is an error with its name", async () => {
    await expect(scan(join(dir.path, "gone.log"))).rejects.toMatchObject({
      code: ErrorCode.BAD_FILE,
      message: expect.stringMatching(/gone\.log cannot be read: ENOENT$/) as string,
    });
  });
});

describe("a folder", () => {
  it("is gone through to its depth, without following links out of it", async () => {
    await mkdir(join(dir.path, "a/b"), { recursive: true });
    await write("a/b/deep.txt", NUMBER);
    await write("outside.txt", NUMBER);
    await symlink(join(dir.path, "outside.txt"), join(dir.path, "a/link.txt"));
    await symlink(join(dir.path, "a"), join(dir.path, "a/loop"));
    const { places, counts } = await scan(join(dir.path, "a"));
    expect(places).toEqual(["a/b/deep.txt:0"]);
    expect(counts.files).toBe(1);
  });

  it("says what in it could not be read", async () => {
    await write("broken.gz", gzipSync("x").subarray(0, 10));
    await write("good.txt", NUMBER);
    const { places, counts } = await scan(dir.path);
    expect(places).toEqual(["good.txt:0"]);
    expect(counts.unreadable).toEqual([expect.stringMatching(/broken\.gz: Z_BUF_ERROR$/)]);
  });
});

/** One of each kind of content, as Redis packs it: small ones in one piece, numbers as integers, long texts compressed. */
const CONTENTS: Readonly<Record<string, (redis: Redis) => Promise<unknown>>> = {
  "a number as a string": async (redis) => await redis.set("key", NUMBER),
  "a text": async (redis) => await redis.set("key", `of ${NUMBER}.`),
  "a long text": async (redis) => await redis.set("key", `{"note":"${"again and ".repeat(50)}","aadhaar":"${NUMBER}"}`),
  "a list": async (redis) => await redis.rpush("key", "a", NUMBER),
  "a long list": async (redis) =>
    await redis.rpush("key", ...Array.from({ length: 900 }, (_, n) => `item ${n}`), NUMBER),
  "a set of numbers": async (redis) => await redis.sadd("key", "1", "2", NUMBER),
  "a set": async (redis) => await redis.sadd("key", "a", NUMBER),
  "a large set": async (redis) => await redis.sadd("key", ...Array.from({ length: 900 }, (_, n) => `m${n}`), NUMBER),
  "a sorted set": async (redis) => await redis.zadd("key", 1, NUMBER),
  "a hash": async (redis) => await redis.hset("key", "aadhaar", NUMBER),
  "a hash's JSON": async (redis) =>
    await redis.hset("key", "state", "queued", "input", `{"aadhaar":"${NUMBER}","purpose":"ForKYC ForKYC ForKYC"}`),
  "a large hash": async (redis) =>
    await redis.hset("key", ...Array.from({ length: 900 }, (_, n) => [`f${n}`, `v${n}`]).flat(), "aadhaar", NUMBER),
  "a stream": async (redis) => await redis.xadd("key", "*", "event", "waiting", "aadhaar", NUMBER),
  "a key's name": async (redis) => await redis.set(`job:${NUMBER}`, "x"),
  "a secret in a hash": async (redis) => await redis.hset("key", "note", `${"the ".repeat(20)} ${SECRET}`),
};

describe("a dump of Redis", () => {
  it.each(Object.entries(CONTENTS))("gives away %s, compressed", async (_, plant) => {
    await using server = await startTestRedis({ plants: "to be found by the scan" });
    const redis = server.client();
    await redis.config("SET", "rdbcompression", "yes");
    await redis.mset(Object.fromEntries(Array.from({ length: 200 }, (__, n) => [`other-${n}`, `of ${n} `.repeat(n)])));
    await plant(redis);
    await redis.save();
    const { findings } = await scan(join(server.dir, "dump.rdb"));
    expect(findings.map(({ place }) => place)).toContainEqual(expect.stringMatching(/dump\.rdb:\d+$/));
    // The same in the AOF, before it is rewritten and after: its first part is a dump then.
    const own = async () => await redisFiles(redis, parseRedisUrl(server.url));
    const files = async (): Promise<readonly string[]> => {
      const found = await own();
      return found.kind === "here" ? found.paths : [];
    };
    expect((await scan(...(await files()).filter((path) => path.endsWith(".incr.aof")))).findings).not.toEqual([]);
    await redis.bgrewriteaof();
    await expect
      .poll(async () => await redis.info("persistence"))
      .toMatch(/aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0/);
    const bases = (await files()).filter((path) => path.endsWith(".base.rdb"));
    expect(bases).toHaveLength(1);
    expect((await scan(...bases)).findings).not.toEqual([]);
  });

  it("with nothing planted gives nothing away", async () => {
    await using server = await startTestRedis();
    const redis = server.client();
    await redis.config("SET", "rdbcompression", "yes");
    for (let n = 0; n < 300; n++) {
      await redis.hset(`job-${n}`, {
        created: 1_763_726_400_000 + n,
        input: "sealed ".repeat(20),
        digest: "a1b2c3d4e5f6",
      });
      await redis.zadd("delayed", (1_763_726_400_000 + n) * 4096, `job-${n}`);
      await redis.rpush("permits", 1_763_726_400_000 + n);
    }
    await redis.save();
    const { findings, counts } = await scan(server.dir);
    expect(findings).toEqual([]);
    expect(counts.files).toBeGreaterThanOrEqual(4);
  });
});

describe("the files of a Redis", () => {
  it("are not looked for on this machine where it may run on another", async () => {
    await using server = await startTestRedis();
    const own = await redisFiles(server.client(), parseRedisUrl("redis://10.1.2.3:6380/0"));
    expect(own).toMatchObject({ kind: "elsewhere" });
  });

  it("are said to be unknown where Redis may not tell them", async () => {
    await using server = await startTestRedis();
    const redis = server.client();
    await redis.call("ACL", "SETUSER", "scanner", "on", ">a-password", "~*", "+@read", "+@connection", "+info");
    const limited = server.client({ username: "scanner", password: "a-password" });
    const own = await redisFiles(limited, parseRedisUrl(server.url));
    expect(own).toMatchObject({
      kind: "elsewhere",
      reason: expect.stringContaining("CONFIG GET is refused") as string,
    });
  });
});
