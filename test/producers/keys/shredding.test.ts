import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KeyRotation } from "../../../producers/keys/key-rotation.ts";
import { IN_HAND_MS } from "../../../producers/keys/resealing.ts";
import { Shredding } from "../../../producers/keys/shredding.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { DATA_KEYS } from "../../../src/privacy/keys/data-key-store.ts";
import { archiveKey } from "../../../src/queues/names.ts";
import { createIds } from "../../../src/records/ids.ts";
import { newRingKey } from "../../src/privacy/keys/keys-bundle.ts";
import { LocalServer } from "../../support/local-server.ts";
import { TestRedis } from "../../support/redis.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { DAY_MS, KeysBundle, mobileOf, NAME, NOON, ringOf, startKeysBundle, TODAY } from "./keys-bundle.ts";

const KEY = newRingKey("k1");
const RING = ringOf(KEY);
const REWRITTEN = { aof: "rewritten", snapshot: "off", replicas: 0 };

/** A second Redis, started on a copy of this one's files as they are now: what a thief of a backup has. */
async function copyOf(redis: TestRedis): Promise<TestRedis> {
  // While the disk is busy Redis puts off what it appends for two seconds, but not what has to be synced at once.
  await redis.client().config("SET", "appendfsync", "always");
  await redis.client().set("written", "all before it");
  const { path } = await makeTempDir();
  for (const part of ["appendonlydir", "appendonly.aof", "dump.rdb"])
    await cp(join(redis.dir, part), join(path, part), { recursive: true }).catch(() => {});
  const server = await LocalServer.create(path);
  await server.start();
  return new TestRedis(server, path);
}

/** The code with which a job's values are refused; `opened` where they are not. */
async function attempt(bundle: KeysBundle, id: string, ring = RING): Promise<string> {
  try {
    expect(await bundle.read(bundle.deps(ring), id)).toEqual([mobileOf(id), NAME]);
    return "opened";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe("shred --batch", () => {
  it("leaves nothing that opens in Redis, in its AOF, or in a copy of it made afterwards", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(RING);
    for (const id of ["j-1", "j-2"]) await bundle.addJob(worker, id, "batch:b-1");
    await bundle.addJob(worker, "j-3", "batch:b-2");
    const [name = ""] = await bundle.dataKeysOf("j-1");
    const wrapped = (await worker.store.load([name]))[0]?.wrapped ?? "";
    expect(await bundle.redis.aofText()).toContain(wrapped);
    expect(await attempt(bundle, "j-1")).toBe("opened");

    const shredded = await new Shredding(bundle.use(RING)).shred({ kind: "batch", name: "b-1" });
    expect(shredded).toEqual({ destroyed: 1, resealed: 0, done: true, again: false, disk: REWRITTEN });
    await expect.poll(async () => (await bundle.redis.aofText()).includes(wrapped)).toBe(false);
    const copy = await copyOf(bundle.redis);
    await using copied = new KeysBundle(copy, copy);
    for (const where of [bundle, copied]) {
      expect(await attempt(where, "j-1")).toBe(ErrorCode.SHREDDED);
      expect(await attempt(where, "j-2")).toBe(ErrorCode.SHREDDED);
      expect(await attempt(where, "j-3")).toBe("opened");
    }
  });

  it("with the keys in a Redis of their own, leaves nothing that opens in a copy of the jobs' Redis made before", async () => {
    await using bundle = await startKeysBundle({ apart: true });
    await bundle.addJob(bundle.deps(RING), "j-1", "batch:b-1");
    await bundle.addJob(bundle.deps(RING), "j-2", "batch:b-2");
    expect(await bundle.redis.aofText()).not.toContain("w1.k1.");
    const before = await copyOf(bundle.redis);
    await using withBackup = new KeysBundle(before, bundle.keysRedis);
    expect(await attempt(withBackup, "j-1")).toBe("opened");
    await new Shredding(bundle.use(RING)).shred({ kind: "batch", name: "b-1" });
    expect(await attempt(withBackup, "j-1")).toBe(ErrorCode.SHREDDED);
    expect(await attempt(withBackup, "j-2")).toBe("opened");
    await using alone = new KeysBundle(before, before);
    expect(await attempt(alone, "j-2")).toBe(ErrorCode.SHREDDED);
  });

  it("without that, a copy made before opens until the wrapping key is replaced and taken away", async () => {
    await using bundle = await startKeysBundle();
    for (const id of ["j-1", "j-2"]) await bundle.addJob(bundle.deps(RING), id, id === "j-1" ? "batch:b-1" : TODAY);
    const before = await copyOf(bundle.redis);
    await using backup = new KeysBundle(before, before);
    await new Shredding(bundle.use(RING)).shred({ kind: "batch", name: "b-1" });
    expect(await attempt(backup, "j-1")).toBe("opened"); // the limit
    const next = newRingKey("k2");
    const rotation = new KeyRotation(bundle.use(ringOf(next, KEY)));
    await rotation.rewrap();
    await rotation.retire("k1");
    const rest = ringOf(next);
    expect(await attempt(backup, "j-1", rest)).toBe(ErrorCode.UNKNOWN_KEY);
    expect(await attempt(bundle, "j-2", rest)).toBe("opened");
  });

  it("is refused where there is nothing of that batch", async () => {
    await using bundle = await startKeysBundle();
    const shredding = new Shredding(bundle.use(RING));
    for (const [name, message] of [
      ["b-9", "batch: there is no data key of the batch b-9 (any more)"],
      ["two words", "batch: 1 to 64 characters"],
    ] as const) {
      const target = { kind: "batch", name } as const;
      for (const refused of [shredding.plan(target), shredding.shred(target)])
        await expect(refused).rejects.toMatchObject({
          code: ErrorCode.BAD_INPUT,
          message: expect.stringContaining(message) as string,
        });
    }
  });
});

describe("shred --job", () => {
  it("takes one job's values, and seals what shares its data key anew first", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(RING);
    for (const id of ["j-1", "j-2", "j-3"]) await bundle.addJob(worker, id);
    await bundle.addJob(worker, "j-4", "batch:b-1");
    const before = await bundle.dataKeysOf("j-2");
    const shredding = new Shredding(bundle.use(RING));
    const target = { kind: "job", id: "j-1" } as const;
    expect(await shredding.plan(target)).toMatchObject({ jobs: 1, open: 0, others: 2 });
    const shredded = await shredding.shred(target);
    expect(shredded).toEqual({ destroyed: 1, resealed: 4, done: true, again: false, disk: REWRITTEN });
    expect(bundle.waits).toContain(IN_HAND_MS);
    expect(await bundle.dataKeysOf("j-2")).not.toEqual(before);
    const copy = await copyOf(bundle.redis);
    await using copied = new KeysBundle(copy, copy);
    for (const where of [bundle, copied]) {
      expect(await attempt(where, "j-1")).toBe(ErrorCode.SHREDDED);
      for (const id of ["j-2", "j-3", "j-4"]) expect(await attempt(where, id)).toBe("opened");
    }
    await expect(shredding.shred(target)).rejects.toMatchObject({
      message: "job j-1 has nothing sealed that could be opened",
    });
  });

  it("is refused of a job that is archived, of which nothing sealed is kept", async () => {
    await using bundle = await startKeysBundle();
    const id = createIds().job(Date.now());
    const key = archiveKey("{eko-0}", id.slice(0, 5));
    await bundle.redis.client().hset(key, id, ["sdigest", "job", "eko.mobile-otp bulk 1 ~ ~ + ~", ""].join("\0"));
    await expect(new Shredding(bundle.use(RING)).shred({ kind: "job", id })).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: `job ${id} has nothing sealed that could be opened`,
    });
  });

  it("keeps what a worker sealed meanwhile, who has heard of nothing", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(RING);
    for (const id of ["j-1", "j-2"]) await bundle.addJob(worker, id);
    bundle.onWait = async () => {
      bundle.onWait = async () => {};
      bundle.now -= IN_HAND_MS;
      await bundle.addJob(worker, "j-3");
      bundle.now += IN_HAND_MS;
      expect(await bundle.dataKeysOf("j-3")).toEqual(await bundle.dataKeysOf("j-1"));
    };
    expect(await new Shredding(bundle.use(RING)).shred({ kind: "job", id: "j-1" })).toMatchObject({ resealed: 4 });
    expect([await attempt(bundle, "j-1"), await attempt(bundle, "j-2"), await attempt(bundle, "j-3")]).toEqual([
      ErrorCode.SHREDDED,
      "opened",
      "opened",
    ]);
  });

  it("says so where the job's worker sealed something more under another key", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(RING);
    await bundle.addJob(worker, "j-1");
    bundle.onWait = async () => {
      bundle.onWait = async () => {};
      await bundle.addJob(bundle.deps(RING), "j-1", "batch:b-1");
    };
    expect(await new Shredding(bundle.use(RING)).shred({ kind: "job", id: "j-1" })).toMatchObject({ again: true });
  });

  it("destroys nothing where it is stopped, or where another job cannot be opened here", async () => {
    await using bundle = await startKeysBundle();
    const lost = newRingKey("lost");
    const worker = bundle.deps(ringOf(lost));
    for (const id of ["j-1", "j-2"]) await bundle.addJob(worker, id);
    const target = { kind: "job", id: "j-1" } as const;
    const stopped = await new Shredding(bundle.use(ringOf(lost))).shred(target, { signal: AbortSignal.abort() });
    expect(stopped).toMatchObject({ done: false, destroyed: 0, disk: null });
    await expect(new Shredding(bundle.use(RING)).shred(target)).rejects.toMatchObject({
      code: ErrorCode.UNKNOWN_KEY,
      message: expect.stringContaining("nothing was shredded: 1 other jobs") as string,
    });
    expect(await attempt(bundle, "j-1", ringOf(lost))).toBe("opened");
  });

  it("is refused for a job that is not there, and for one that is being called", async () => {
    await using bundle = await startKeysBundle();
    await bundle.addJob(bundle.deps(RING), "j-1", TODAY, "active");
    const shredding = new Shredding(bundle.use(RING));
    await expect(shredding.shred({ kind: "job", id: "j-9" })).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_JOB });
    await expect(shredding.shred({ kind: "job", id: "j-1" })).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: "job j-1 is being called just now: shred it when it is settled",
    });
  });
});

describe("shred --older-than", () => {
  it("takes days that ended, and batches that began, longer ago, and says before what it would take", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(RING);
    bundle.now = NOON - 31 * DAY_MS;
    await bundle.addJob(worker, "j-1", "day:2026-10-21");
    await bundle.addJob(worker, "j-2", "batch:b-1", "waiting");
    bundle.now = NOON;
    await bundle.addJob(worker, "j-3", "day:2026-10-22");
    await bundle.addJob(worker, "j-4");
    // A batch is as old as its first key, though it got another since.
    await bundle.deps(RING).dataKeys.close(await bundle.dataKeysOf("j-2"));
    await bundle.addJob(bundle.deps(RING), "j-5", "batch:b-1");
    const shredding = new Shredding(bundle.use(RING));
    // Half a day past the end of 21 October: that of the 22nd is not yet 30 days ago.
    const target = { kind: "older", thanMs: 30 * DAY_MS } as const;
    const plan = await shredding.plan(target);
    expect(plan).toMatchObject({ jobs: 3, open: 1, others: 0 });
    expect(plan.dataKeys.map(({ scope }) => scope).toSorted()).toEqual(["batch:b-1", "batch:b-1", "day:2026-10-21"]);
    expect(await attempt(bundle, "j-1")).toBe("opened");
    expect(await shredding.shred(target)).toMatchObject({ destroyed: 3, disk: REWRITTEN });
    const left = await Promise.all(["j-1", "j-2", "j-3", "j-4", "j-5"].map(async (id) => await attempt(bundle, id)));
    const { SHREDDED } = ErrorCode;
    expect(left).toEqual([SHREDDED, SHREDDED, "opened", "opened", SHREDDED]);
    expect(await shredding.shred(target)).toMatchObject({ destroyed: 0, disk: null });
  });

  it("is refused for less than an hour: what is on its way in would be lost", async () => {
    await using bundle = await startKeysBundle();
    await expect(new Shredding(bundle.use(RING)).plan({ kind: "older", thanMs: 60_000 })).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: "older than 1m is too new to shred: at least 1h",
    });
  });
});

describe("the files of Redis", () => {
  it("are told where there is no AOF, and where it writes snapshots these are written anew", async () => {
    await using bundle = await startKeysBundle();
    const client = bundle.redis.client();
    await bundle.addJob(bundle.deps(RING), "j-1", "batch:b-1");
    await client.config("SET", "appendonly", "no");
    await client.config("SET", "save", "3600 1");
    await client.bgsave();
    await expect.poll(async () => await client.info("persistence")).toContain("rdb_bgsave_in_progress:0");
    const stored = Object.values(await client.hgetall(DATA_KEYS)).map(
      (json) => (JSON.parse(json) as { wrapped: string }).wrapped,
    );
    const holds = async (): Promise<boolean> =>
      (await readFile(join(bundle.redis.dir, "dump.rdb"), "latin1")).includes(stored[0] ?? "nothing");
    expect(await holds()).toBe(true);
    const { disk } = await new Shredding(bundle.use(RING)).shred({ kind: "batch", name: "b-1" });
    expect(disk).toEqual({ aof: "off", snapshot: "rewritten", replicas: 0 });
    expect(await holds()).toBe(false);
  });

  it("that may not be written are told, and the keys are destroyed all the same", async () => {
    await using bundle = await startKeysBundle();
    await bundle.addJob(bundle.deps(RING), "j-1", "batch:b-1");
    await bundle.redis.client().acl("SETUSER", "default", "-bgrewriteaof", "-config");
    const { destroyed, disk } = await new Shredding(bundle.use(RING)).shred({ kind: "batch", name: "b-1" });
    expect({ destroyed, disk }).toEqual({ destroyed: 1, disk: { aof: "refused", snapshot: "refused", replicas: 0 } });
    expect(await attempt(bundle, "j-1")).toBe(ErrorCode.SHREDDED);
  });
});
