import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { OPENER_LOOK_MS, SEALER_LOOK_MS } from "../../../../src/privacy/keys/data-keys.ts";
import { keysUnreachable } from "../../../../src/privacy/keys/key-service.ts";
import { DATA_KEYS, DataKeyStore } from "../../../../src/privacy/keys/data-key-store.ts";
import { MOST_SEALED, type SealedFor, Sealer } from "../../../../src/privacy/sealing/sealed-text.ts";
import { everythingIn } from "../../../support/redis-content.ts";
import { startTestRedis, type TestRedis } from "../../../support/redis.ts";
import { refusal } from "../../providers/refusal.ts";
import { newProcess, newRing, newRingKey, NOON, TODAY } from "./keys-bundle.ts";
import { parseKeyRing } from "../../../../src/privacy/keys/key-ring.ts";

const CODE = "482915";
const FOR: SealedFor = { operation: "eko.mobile-otp.verify", jobId: "j-1", field: "otp" };

let redis: TestRedis;
beforeAll(async () => (redis = await startTestRedis()));
afterAll(async () => await redis.stop());
beforeEach(async () => void (await redis.client().flushall()));

type Process = ReturnType<typeof newProcess>;

async function seal({ dataKeys }: Process): Promise<string> {
  return (await dataKeys.sealer(TODAY)).seal(CODE, FOR);
}

async function open({ dataKeys }: Process, text: string): Promise<string> {
  return (await dataKeys.opener([text])).open(text, FOR);
}

async function codeOf(process: Process, text: string): Promise<string> {
  const opener = await process.dataKeys.opener([text]);
  return refusal(() => opener.open(text, FOR)).code;
}

describe("data keys at hand", () => {
  it("open in one process what another sealed, and Redis has neither the value nor a key", async () => {
    const ring = newRing("k1");
    const [producer, worker] = [newProcess(redis, ring), newProcess(redis, ring)];
    const text = await seal(producer);
    expect(await open(worker, text)).toBe(CODE);
    const { dataKey } = await producer.dataKeys.sealer(TODAY);
    const all = await everythingIn(redis);
    expect(all).toContain(dataKey.id);
    expect(all).not.toContain(CODE);
    for (const encoding of ["base64", "base64url", "hex", "latin1"] as const)
      expect(all).not.toContain(dataKey.key.export().toString(encoding));
  });

  it("are asked for once, by however many jobs at once, and then no more", async () => {
    const ring = newRing("k1");
    const [producer, worker] = [newProcess(redis, ring), newProcess(redis, ring)];
    const texts = await Promise.all(Array.from({ length: 100 }, async () => await seal(producer)));
    expect(producer.asked).toEqual({ wrap: 1, unwrap: 0 });
    const sealers = new Set(texts.map((text) => Buffer.from(text.slice(16), "base64url").readUInt32BE(0)));
    expect(sealers.size).toBe(1);
    const opened = await Promise.all(texts.map(async (text) => await open(worker, text)));
    expect(new Set(opened)).toEqual(new Set([CODE]));
    expect(worker.asked).toEqual({ wrap: 0, unwrap: 1 });
    const before = await commandsOf(redis);
    for (const text of texts) expect(await open(worker, text)).toBe(CODE);
    for (const _ of texts) await seal(producer);
    expect((await commandsOf(redis)) - before).toBe(0);
  });

  it("are one per scope, though many processes begin at the same instant, and no nonce comes twice", async () => {
    const ring = newRing("k1");
    const processes = Array.from({ length: 8 }, () => newProcess(redis, ring));
    const texts = (
      await Promise.all(
        processes.map(async ({ dataKeys }) => {
          const sealer = await dataKeys.sealer(TODAY);
          return Array.from({ length: 500 }, () => sealer.seal(CODE, FOR));
        }),
      )
    ).flat();
    expect(new Set(texts.map((text) => text.slice(0, 16))).size).toBe(1);
    expect(new Set(texts.map((text) => text.slice(16, 32))).size).toBe(texts.length);
    const numbers = texts.map((text) => Buffer.from(text.slice(16), "base64url").readUInt32BE(0));
    expect(new Set(numbers)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
    for (const process of processes) expect(await open(process, texts[4_000 - 1] ?? "")).toBe(CODE);
  });

  it("take a new sealer number long before a counter ends", async () => {
    const process = newProcess(redis, newRing("k1"));
    const sealer = await process.dataKeys.sealer(TODAY);
    expect(await process.dataKeys.sealer(TODAY)).toBe(sealer);
    Object.defineProperty(sealer, "left", { get: () => MOST_SEALED / 2 - 1 });
    const next = await process.dataKeys.sealer(TODAY);
    expect(next).not.toBe(sealer);
    expect(next.dataKey).toBe(sealer.dataKey);
    expect(next).toBeInstanceOf(Sealer);
  });
});

describe("a destroyed data key", () => {
  it("is said to be destroyed", async () => {
    const ring = newRing("k1");
    const [producer, worker] = [newProcess(redis, ring), newProcess(redis, ring)];
    const text = await seal(producer);
    await producer.dataKeys.destroy([text.slice(3, 15)]);
    expect(await codeOf(worker, text)).toBe(ErrorCode.SHREDDED);
    expect(await codeOf(producer, text)).toBe(ErrorCode.SHREDDED);
  });

  it("is forgotten at once by those who listen, and seals no more", async () => {
    const ring = newRing("k1");
    const [operator, worker] = [newProcess(redis, ring), newProcess(redis, ring)];
    await worker.dataKeys.listen(redis.client());
    const text = await seal(worker);
    await operator.dataKeys.destroy([text.slice(3, 15)]);
    await expect.poll(async () => await codeOf(worker, text).catch(() => "it opens")).toBe(ErrorCode.SHREDDED);
    expect((await seal(worker)).slice(0, 16)).not.toBe(text.slice(0, 16));
  });

  it("is looked for again after 60 s, and after 5 s before it seals, by those who heard nothing", async () => {
    const ring = newRing("k1");
    const [operator, worker] = [newProcess(redis, ring), newProcess(redis, ring)];
    const text = await seal(worker);
    await operator.dataKeys.destroy([text.slice(3, 15)]);
    worker.clock.now += SEALER_LOOK_MS - 1;
    expect((await seal(worker)).slice(0, 16)).toBe(text.slice(0, 16));
    worker.clock.now += 1;
    expect((await seal(worker)).slice(0, 16)).not.toBe(text.slice(0, 16));
    worker.clock.now = NOON + OPENER_LOOK_MS - 1;
    expect(await open(worker, text)).toBe(CODE);
    worker.clock.now += 1;
    expect(await codeOf(worker, text)).toBe(ErrorCode.SHREDDED);
  });

  it("is looked for again after the connection was lost, for what was said meanwhile", async () => {
    const ring = newRing("k1");
    const worker = newProcess(redis, ring);
    const subscriber = redis.client();
    await worker.dataKeys.listen(subscriber);
    const text = await seal(worker);
    // Told to nobody.
    await redis.client().hdel(DATA_KEYS, text.slice(3, 15));
    expect(await open(worker, text)).toBe(CODE);
    subscriber.disconnect(true);
    await expect.poll(async () => await codeOf(worker, text).catch(() => "it opens")).toBe(ErrorCode.SHREDDED);
  });

  it("that is still there when it is looked for costs no unwrapping", async () => {
    const worker = newProcess(redis, newRing("k1"));
    const text = await seal(worker);
    worker.clock.now += 10 * OPENER_LOOK_MS;
    expect(await open(worker, text)).toBe(CODE);
    expect((await seal(worker)).slice(0, 16)).toBe(text.slice(0, 16));
    expect(worker.asked).toEqual({ wrap: 1, unwrap: 0 });
  });
});

describe("what cannot be unwrapped", () => {
  it("is `unknown-key` where the ring lacks the key, and other values open all the same", async () => {
    const [old, fresh] = [newRingKey("old"), newRingKey("new")];
    const before = newProcess(redis, parseKeyRing(old));
    const text = await seal(before);
    await before.dataKeys.close([text.slice(3, 15)]);
    const after = newProcess(redis, parseKeyRing(fresh));
    const other = await seal(after);
    const opener = await after.dataKeys.opener([text, other]);
    expect(opener.open(other, FOR)).toBe(CODE);
    const error = refusal(() => opener.open(text, FOR));
    expect(error.code).toBe(ErrorCode.UNKNOWN_KEY);
    expect(error.message).toContain('the key "old"');
    expect(await open(newProcess(redis, parseKeyRing(`${fresh},${old}`)), text)).toBe(CODE);
  });

  it("is `unreadable` where somebody exchanged two wrapped keys", async () => {
    const ring = newRing("k1");
    const producer = newProcess(redis, ring);
    const text = await seal(producer);
    const { dataKey } = await producer.dataKeys.sealer("batch:b-1");
    const client = redis.client();
    await client.hset(DATA_KEYS, text.slice(3, 15), (await client.hget(DATA_KEYS, dataKey.id)) ?? "");
    const opener = await newProcess(redis, ring).dataKeys.opener([text]);
    expect(refusal(() => opener.open(text, FOR)).code).toBe(ErrorCode.UNREADABLE);
    // It is not even unwrapped: sealed with it, a value would survive its own key's shredding.
    expect(opener.scopeOf(text)).toBeNull();
  });

  it("is `unreadable` where the stored key is damaged", async () => {
    const ring = newRing("k1");
    const text = await seal(newProcess(redis, ring));
    await redis.client().hset(DATA_KEYS, text.slice(3, 15), "{}");
    expect(await codeOf(newProcess(redis, ring), text)).toBe(ErrorCode.UNREADABLE);
  });

  it("does not stop what comes in: a damaged key gets a successor", async () => {
    const ring = newRing("k1");
    const text = await seal(newProcess(redis, ring));
    const client = redis.client();
    const stored = JSON.parse((await client.hget(DATA_KEYS, text.slice(3, 15))) ?? "") as object;
    for (const damaged of ["{}", JSON.stringify({ ...stored, wrapped: "w1.k1.AAAA" })]) {
      await client.hset(DATA_KEYS, (await client.hget(`${DATA_KEYS}:current`, TODAY)) ?? "", damaged);
      const process = newProcess(redis, ring);
      expect(await open(process, await seal(process))).toBe(CODE);
    }
  });

  it("does not let a process with another key of the same id seal anything, or take the data key's place", async () => {
    const [one, other] = [newProcess(redis, newRing("k1")), newProcess(redis, newRing("k1"))];
    const text = await seal(one);
    await expect(seal(other)).rejects.toMatchObject({
      code: ErrorCode.UNKNOWN_KEY,
      message: expect.stringContaining('the key "k1" of this process is not the key "k1"') as string,
    });
    const opener = await other.dataKeys.opener([text]);
    expect(() => opener.open(text, { operation: "eko.mobile-otp", jobId: "job-1", field: "mobile" })).toThrow(
      expect.objectContaining({ code: ErrorCode.UNKNOWN_KEY }) as Error,
    );
    expect((await one.store.list()).dataKeys).toHaveLength(1);
  });

  it("is told at once while the key service is away, and is asked for again when it is back", async () => {
    const ring = newRing("k1");
    const text = await seal(newProcess(redis, ring));
    const healthy = newProcess(redis, ring).provider;
    let away = true;
    const flaky = {
      ...healthy,
      unwrap: async (wrapped: string, context: string) => {
        if (away) throw keysUnreachable("test", "away");
        return await healthy.unwrap(wrapped, context);
      },
    };
    const worker = newProcess(redis, flaky);
    await expect(worker.dataKeys.opener([text])).rejects.toMatchObject({ code: ErrorCode.KEYS_UNREACHABLE });
    away = false;
    expect(await open(worker, text)).toBe(CODE);
  });

  it("stops a process that would wrap with a retired key, and not one that only opens", async () => {
    const [old, fresh] = [newRingKey("old"), newRingKey("new")];
    const text = await seal(newProcess(redis, parseKeyRing(fresh)));
    await new DataKeyStore(redis.client()).retire("old", NOON);
    const late = newProcess(redis, parseKeyRing(`${old},${fresh}`));
    await expect(late.dataKeys.sealer("batch:b-1")).rejects.toMatchObject({
      code: ErrorCode.BAD_SETTINGS,
      message: expect.stringContaining("the key old was retired") as string,
    });
    expect(await open(late, text)).toBe(CODE);
  });
});

/** How many commands Redis has carried out that are about data keys. */
async function commandsOf(of: TestRedis): Promise<number> {
  const info = await of.client().info("commandstats");
  const counts = [...info.matchAll(/cmdstat_(?:hget|hmget|evalsha|eval|hset):calls=(\d+)/g)];
  return counts.reduce((sum, [, calls]) => sum + Number(calls), 0);
}
