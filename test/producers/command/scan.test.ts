import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { Command } from "commander";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineScan } from "../../../producers/command/scan.ts";
import type { ScanReport } from "../../../producers/report/format-scan.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { readTestEnv } from "../../support/env.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";
import { Faults } from "../../../src/command/faults.ts";

/** Made up: no real person's. */
const NUMBER = "234123412346";

let dir: TempDir;
let server: TestRedis;
let redis: Redis;
let env: Record<string, string>;
beforeEach(async () => {
  dir = await makeTempDir();
  server = await startTestRedis({ plants: "to be found by the command" });
  redis = server.client();
  env = {
    ...testKeys(),
    REDIS_URL: server.url,
    DEEPVUE_CLIENT_ID: "planted-id",
    DEEPVUE_CLIENT_SECRET: "planted-secret",
  };
});
afterEach(async () => {
  await server.stop();
  await dir[Symbol.asyncDispose]();
});

async function scan(
  args: readonly string[] = [],
  stdin = "",
): Promise<{ readonly code: number; readonly stdout: string }> {
  const written: string[] = [];
  const sink = (): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        done();
      },
    });
  let code = 0;
  const command = new Command("scan").exitOverride();
  defineScan(command, {
    env,
    cwd: dir.path,
    stdin: Readable.from([stdin]),
    stdout: sink(),
    stderr: sink(),
    actor: "command:asha",
    now: Date.now,
    random: Math.random,
    readFile: (path) => readFileSync(path, "utf8"),
    machine: readTestEnv().machine,
    faults: new Faults(),
    endAtHangup: () => {},
    signal: new AbortController().signal,
    exit: (given) => (code = given),
  });
  await command.parseAsync(args, { from: "user" });
  const stdout = written.join("");
  expect(stdout).not.toMatch(new RegExp(`${NUMBER}|planted-(id|secret)|planted-canary`));
  return { code, stdout };
}

async function report(args: readonly string[] = [], stdin = ""): Promise<ScanReport & { readonly code: number }> {
  const { code, stdout } = await scan(["--json", ...args], stdin);
  return { ...(JSON.parse(stdout) as ScanReport), code };
}

describe("satyapan scan", () => {
  it("ends with 0 where nothing is, and says what it looked through: Redis, its AOF and its log", async () => {
    await redis.hset("satyapan:{eko-0}:job:x", "created", Date.now());
    const { code, stdout } = await scan();
    expect(stdout).toMatch(
      /^nothing found in 1 key \(\d+ B\), \d files \([\d.]+ k?B\), looking for Aadhaar-like numbers and \d values\n$/,
    );
    expect(code).toBe(0);
  });

  it("looks through Redis as the command that people type, too, with a file besides", async () => {
    await redis.hset("satyapan:{eko-0}:job:x", "created", NUMBER);
    await writeFile(join(dir.path, "a.log"), "nothing\n");
    for (const args of [["scan"], ["scan", "--file", join(dir.path, "a.log")]]) {
      const { code, stdout } = await satyapan(args, { cwd: dir.path, env });
      expect(code).toBe(1);
      expect(stdout).toMatch(/found in \d+ keys? \(/);
    }
  });

  it("ends with 1 and the place where a number is, in Redis and in the AOF", async () => {
    await redis.hset("satyapan:{eko-0}:job:x", "reason", `no such person ${NUMBER}`);
    const { code, stdout } = await scan();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Aadhaar-like number +XXXX XXXX 2346 +satyapan:\{eko-0\}:job:x field reason$/m);
    expect(stdout).toMatch(/^Aadhaar-like number +XXXX XXXX 2346 +\S+\.incr\.aof:\d+$/m);
    expect(stdout).toMatch(/^2 found in /m);
  });

  it("finds in the AOF what is gone from Redis", async () => {
    await redis.set("gone", NUMBER);
    await redis.del("gone");
    const { code, findings } = await report();
    expect(code).toBe(1);
    expect(findings).toEqual([expect.objectContaining({ source: "file", shown: "XXXX XXXX 2346" })]);
  });

  it("finds each secret and key of the settings, in any encoding, by its name", async () => {
    const [, key = ""] = env["SATYAPAN_ENCRYPTION_KEYS"]?.split(":") ?? [];
    await redis.rpush("a-list", "planted-secret", Buffer.from("x planted-id").toString("base64"));
    await redis.hset(
      "a-hash",
      "key",
      key,
      "subject",
      Buffer.from(env["SATYAPAN_SUBJECT_KEY"] ?? "", "base64").toString("hex"),
    );
    const { findings } = await report();
    const inRedis = findings.filter(({ source }) => source === "redis").map(({ place, what }) => `${what}: ${place}`);
    expect(inRedis.toSorted()).toEqual([
      "deepvue.clientId in base64: a-list [1]",
      "deepvue.clientSecret: a-list [0]",
      "encryption key k1 in base64: a-hash field key",
      "subjectKey in hex: a-hash field subject",
    ]);
  });

  it("looks through the Redis of the data keys, too", async () => {
    await using keys = await startTestRedis({ plants: "to be found by the command" });
    await keys.client().hset("satyapan:data-keys", "key-1", NUMBER);
    env = { ...env, KEYS_REDIS_URL: keys.url };
    const { code, findings, redis: counts } = await report();
    expect(code).toBe(1);
    expect(findings[0]).toMatchObject({ source: "redis", place: "satyapan:data-keys field key-1" });
    expect(counts?.keys).toBe(1);
  });

  it("looks for canaries from stdin or a file, and refuses one that others could read", async () => {
    await redis.xadd("bull:{eko-0}:events", "*", "name", "planted-canary");
    const file = join(dir.path, "canaries");
    await writeFile(file, "another one\r\nplanted-canary\n");
    expect((await report(["--canary", "-"], "planted-canary\n")).findings[0]).toMatchObject({ what: "canary 1" });
    expect((await report(["--canary", `@${file}`])).findings[0]).toMatchObject({ what: "canary 2" });
    await expect(scan(["--canary", "planted-canary"])).rejects.toMatchObject({ code: ErrorCode.BAD_USAGE });
    await expect(scan(["--canary", "-"], "\n")).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT });
    await expect(scan(["--canary", "@gone"])).rejects.toMatchObject({ code: ErrorCode.BAD_FILE });
  });

  it("looks through files and pages, also without any Redis", async () => {
    env = { ...env, REDIS_URL: "redis://127.0.0.1:1" };
    const log = join(dir.path, "worker.log");
    await writeFile(log, randomBytes(100));
    expect(await report(["--no-redis", "--file", log])).toMatchObject({
      code: 0,
      redis: null,
      files: { files: 1, bytes: 100 },
    });
    await appendFile(log, `\n${NUMBER}\n`);
    const { code, findings } = await report(["--no-redis", "--file", log]);
    expect([code, findings.map(({ place }) => place)]).toEqual([1, [`${log}:101`]]);
  });

  it("says what it did not look at", async () => {
    env = { ...env, DEEPVUE_CLIENT_SECRET: "short" };
    expect((await report()).skipped).toEqual(["deepvue.clientSecret: too short to be looked for"]);
  });

  it.each<[string, readonly string[], ErrorCode]>([
    ["nothing to scan", ["--no-redis"], ErrorCode.BAD_USAGE],
    ["a file that is not there", ["--file", "/gone/by/now"], ErrorCode.BAD_FILE],
    ["what is no page", ["--url", "ftp://127.0.0.1/x"], ErrorCode.BAD_USAGE],
    ["a page that does not answer", ["--url", "http://127.0.0.1:1/metrics"], ErrorCode.BAD_FILE],
    ["a rate that is none", ["--rate", "fast"], ErrorCode.BAD_USAGE],
  ])("refuses %s", async (_, args, code) => {
    await expect(scan(args)).rejects.toMatchObject({ code });
  });

  it("is told when Redis is away (exit code 3)", async () => {
    env = { ...env, REDIS_URL: "redis://127.0.0.1:1" };
    await expect(scan()).rejects.toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
  });
});
