import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DefineCommand } from "../../../bin/commands.ts";
import { defineKeys } from "../../../producers/command/keys.ts";
import { defineShred } from "../../../producers/command/shred.ts";
import type { KeyStatus } from "../../../producers/keys/key-status.ts";
import type { CommandContext } from "../../../src/command/context.ts";
import { Faults } from "../../../src/command/faults.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import type { ProviderName } from "../../../src/base/provider-name.ts";
import { present, type WorkerPrint } from "../../../src/limits/fleet.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { newRingKey } from "../../src/privacy/keys/keys-bundle.ts";
import { testKeys } from "../../support/client.ts";
import { readTestEnv } from "../../support/env.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";
import { DAY_MS, type KeysBundle, NOON, ringOf, startKeysBundle } from "../keys/keys-bundle.ts";

const [OLD, NEW] = [newRingKey("old"), newRingKey("new")];
const { SATYAPAN_SUBJECT_KEY = "" } = testKeys();

let dir: TempDir;
let bundle: KeysBundle;
beforeAll(async () => {
  dir = await makeTempDir();
  bundle = await startKeysBundle({ apart: true });
});
afterAll(async () => {
  await bundle[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await bundle.redis.client().flushall();
  await bundle.keysRedis.client().flushall();
});

/** Runs a command in this process, with the keys in a Redis of their own. Rejects with what the command throws. */
async function run(define: DefineCommand, line: string, keys = OLD, signal = new AbortController().signal) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let code = 0;
  const context: CommandContext = {
    env: {
      ...{ REDIS_URL: bundle.redis.url, KEYS_REDIS_URL: bundle.keysRedis.url },
      ...{ SATYAPAN_ENCRYPTION_KEYS: keys, SATYAPAN_SUBJECT_KEY },
    },
    ...{ cwd: dir.path, stdin: new PassThrough(), stdout, stderr, now: () => NOON, random: Math.random },
    ...{
      readFile: () => "",
      actor: "command:asha",
      machine: readTestEnv().machine,
      faults: new Faults(),
      endAtHangup: () => {},
      signal,
      exit: (given) => (code = given),
    },
  };
  const command = new Command().exitOverride().configureOutput({ outputError: () => {} });
  define(command, context);
  await command.parseAsync(
    line.split(" ").filter((word) => word !== ""),
    { from: "user" },
  );
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

async function sayLives(worker: string, print: WorkerPrint, provider: ProviderName = "eko"): Promise<void> {
  await present(bundle.redis.client(), queueOf(provider), worker, print);
}

/** A worker says that it lives, with these keys. */
async function live(worker: string, keys: string, provider: ProviderName = "eko"): Promise<void> {
  const ids = keys.split(",").map((key) => key.replace(/:.*/, ""));
  await sayLives(worker, { SATYAPAN_ENCRYPTION_KEYS: ids.join(",") }, provider);
}

describe("satyapan keys", () => {
  it("status shows wrapping keys, data keys with their age, and their jobs", async () => {
    const worker = bundle.deps(ringOf(OLD));
    bundle.now = NOON - 3 * DAY_MS;
    for (const id of ["j-1", "j-2"]) await bundle.addJob(worker, id, "batch:b-1");
    bundle.now = NOON;
    const [name] = await bundle.dataKeysOf("j-1");
    const { code, stdout, stderr } = await run(defineKeys, "status", `${NEW},${OLD}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^wrapping key +data keys +workers\n─+.*\nnew +0 +none lives +wraps new data keys\nold +1 +none lives\n/,
    );
    expect(stdout).toMatch(new RegExp(`\\n${name} +batch:b-1 \\(current\\) +3d +old +2\\n`));
    const lost = await run(defineKeys, "status", NEW);
    expect(lost.stdout).toMatch(/old +1 +none lives +NOT among this process's keys/);
    await bundle.addJob(worker, "j-3");
    expect((await run(defineKeys, "status", OLD)).stdout).toMatch(/ \(current\) +under 1h +old +1\n/);
  });

  it("status says that there is nothing yet", async () => {
    const { stdout } = await run(defineKeys, "status");
    expect(stdout).toContain("no data key yet\n");
    expect(JSON.parse((await run(defineKeys, "status --json")).stdout) as KeyStatus).toMatchObject({
      data_keys: [],
      wrapping_keys: [{ id: "old", wraps: true, data_keys: 0 }],
    });
  });

  it("rotate, then retire: the old key can be taken away", async () => {
    await bundle.addJob(bundle.deps(ringOf(OLD)), "j-1");
    await expect(run(defineKeys, "retire old", `${NEW},${OLD}`)).rejects.toMatchObject({ code: ErrorCode.KEY_NEEDED });
    const rotated = await run(defineKeys, "rotate", `${NEW},${OLD}`);
    expect(rotated).toEqual({ code: 0, stdout: "1 data key wrapped anew\n", stderr: "" });
    const retired = await run(defineKeys, "retire old", `${NEW},${OLD}`);
    expect(retired.stdout).toMatch(/^old is retired: take it out of SATYAPAN_ENCRYPTION_KEYS/);
    expect((await bundle.read(bundle.deps(ringOf(NEW)), "j-1"))[0]).toBe("9876500001");
    expect((await run(defineKeys, "status", NEW)).stdout).toMatch(
      /old +0 +none lives +retired 2026-11-21T12:00:00.000Z/,
    );
  });

  it("retire is refused while workers lack the new key, or have the old one first; status counts them", async () => {
    const [both, second] = [`${NEW},${OLD}`, `${OLD},${NEW}`];
    const retire = async (): Promise<string> => {
      const refused: unknown = await run(defineKeys, "retire old", both).then(
        () => null,
        (error: unknown) => error,
      );
      expect(refused).toMatchObject({ code: ErrorCode.KEY_NEEDED });
      return String(refused);
    };
    await live("a", OLD);
    await live("b", OLD);
    await live("c", second);
    // It serves both providers, and is one worker.
    await live("d", both);
    await live("d", both, "deepvue");
    expect(await retire()).toContain(
      "2 of 4 workers do not have the key new yet: restart them with the new ring first",
    );
    expect((await run(defineKeys, "status", both)).stdout).toMatch(
      /\nnew +0 +2 of 4 +wraps new data keys\nold +0 +4 of 4\n/,
    );
    await live("a", both);
    expect(await retire()).toContain(
      "1 of 4 workers does not have the key new yet: restart it with the new ring first",
    );
    await live("b", second);
    expect(await retire()).toContain(
      "2 of 4 workers still wrap with the key old: put new first in their SATYAPAN_ENCRYPTION_KEYS and restart them",
    );
    await live("b", both);
    expect(await retire()).toContain("1 of 4 workers still wraps with the key old: put new first in its");
    await live("c", NEW);
    const { stdout, stderr } = await run(defineKeys, "retire old", both);
    expect({ stdout, stderr }).toMatchObject({
      stdout: expect.stringMatching(/^old is retired/) as string,
      stderr: "",
    });
    expect((await run(defineKeys, "status", both)).stdout).toMatch(/\nold +0 +3 of 4 +retired /);
  });

  it("retire warns of workers of which cannot be known which keys they have; status says it", async () => {
    const both = `${NEW},${OLD}`;
    await live("a", both);
    await sayLives("b", { EKO_QUOTA: "1/1s" });
    const status = await run(defineKeys, "status", both);
    expect(status.stdout).toMatch(/\nold +0 +1 of 2\n/);
    expect(status.stdout).toContain("\n1 worker does not say which keys it has (it is of an older version)\n");
    const retired = await run(defineKeys, "retire old", both);
    expect(retired).toMatchObject({ code: 0, stdout: expect.stringMatching(/^old is retired/) as string });
    expect(retired.stderr).toBe(
      "satyapan: 1 worker does not say which keys it has (it is of an older version): one that has old first cannot seal any more; restart it with another\n",
    );
    await sayLives("c", { EKO_QUOTA: "1/1s" });
    const json = await run(defineKeys, "retire old --json", both);
    expect(json.stderr).toContain("2 workers do not say which keys they have");
    expect(JSON.parse(json.stdout)).toEqual({ retired: "old", silent_workers: 2 });
  });

  it("rotate fails where it lacks a key, and says which", async () => {
    await bundle.addJob(bundle.deps(ringOf(OLD)), "j-1");
    const { code, stdout } = await run(defineKeys, "rotate", NEW);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: "0 data keys wrapped anew\n1 data key wrapped by old stay: that key is not among this process's\n",
    });
  });

  it("rotate --data says what it did, also as JSON", async () => {
    const { stdout } = await run(defineKeys, "rotate --data");
    expect(stdout).toBe("0 data keys wrapped anew\n0 data keys replaced, 0 sealed fields sealed anew\n");
    const json = await run(defineKeys, "rotate --data --json");
    expect(JSON.parse(json.stdout)).toEqual({
      ...{ rewrapped: 0, missing: {}, replaced: 0, resealed: 0, unreadable: 0, locked: 0, done: true },
    });
  });

  it("that is stopped says so and goes on the next time", async () => {
    await bundle.addJob(bundle.deps(ringOf(OLD)), "j-1");
    const { code, stderr } = await run(defineKeys, "rotate --data", OLD, AbortSignal.abort());
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "satyapan: stopped; the same command goes on with what is left\n",
    });
  });
});

describe("satyapan shred", () => {
  it("without --yes only says what it would do, with it does it", async () => {
    const worker = bundle.deps(ringOf(OLD));
    await bundle.addJob(worker, "j-1", "batch:b-1");
    await bundle.addJob(worker, "j-2", "batch:b-1", "queued");
    expect((await run(defineShred, "--batch b-1")).stdout).toBe(
      "1 data key would be destroyed; 2 jobs could be opened by nobody any more\n" +
        "1 job of these not settled yet: it will fail as `shredded`\nnothing was done; --yes does it\n",
    );
    expect((await bundle.read(worker, "j-1"))[0]).toBe("9876500001");
    const done = await run(defineShred, "--batch b-1 --yes");
    expect(done).toEqual({ code: 0, stdout: "1 data key destroyed\n", stderr: "" });
    await expect(bundle.read(bundle.deps(ringOf(OLD)), "j-1")).rejects.toMatchObject({ code: ErrorCode.SHREDDED });
    expect((await run(defineKeys, "status")).stdout).toContain("2 jobs can be opened by nobody");
  });

  it("has nothing to do where nothing is that old", async () => {
    await bundle.addJob(bundle.deps(ringOf(OLD)), "j-1");
    expect((await run(defineShred, "--older-than 30d")).stdout).toBe("nothing to destroy\n");
    expect((await run(defineShred, "--older-than 30d --yes --json")).stdout).toContain('"destroyed":0');
  });

  it("tells what is left to a person, and exits with 1", async () => {
    await bundle.addJob(bundle.deps(ringOf(OLD)), "j-1", "batch:b-1");
    const client = bundle.keysRedis.client();
    await client.acl("SETUSER", "default", "-bgrewriteaof");
    let ran;
    try {
      ran = await run(defineShred, "--batch b-1 --yes");
    } finally {
      await client.acl("SETUSER", "default", "+bgrewriteaof");
    }
    const { code, stdout, stderr } = ran;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "1 data key destroyed\n" });
    expect(stderr).toBe(
      "satyapan: rewriting the AOF is not allowed; until BGREWRITEAOF it holds the destroyed keys, wrapped\n",
    );
  });

  it.each([
    ["", "give one of --batch, --job and --older-than"],
    ["--batch b-1 --job j-1", "give one of --batch, --job and --older-than"],
    ["--older-than soon", "--older-than must be a duration"],
    ["--older-than 30", "--older-than must have a unit"],
  ])("%j is refused", async (line, message) => {
    await expect(run(defineShred, line)).rejects.toMatchObject({
      code: ErrorCode.BAD_USAGE,
      message: expect.stringContaining(message) as string,
    });
  });
});
