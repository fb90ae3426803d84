import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { newDataKey, type KeyScope } from "../../../../src/privacy/sealing/data-key.ts";
import {
  DATA_KEYS,
  DATA_KEYS_CHANNEL,
  DataKeyStore,
  type StoredDataKey,
} from "../../../../src/privacy/keys/data-key-store.ts";
import { startTestRedis, type TestRedis } from "../../../support/redis.ts";
import { NOON, TODAY } from "./keys-bundle.ts";

let redis: TestRedis;
let store: DataKeyStore;
beforeAll(async () => (redis = await startTestRedis()));
afterAll(async () => await redis.stop());
beforeEach(async () => {
  const client = redis.client();
  await client.flushall();
  store = new DataKeyStore(client);
});

function offer(scope: KeyScope = TODAY, by = "k1"): StoredDataKey {
  const { id } = newDataKey(scope).dataKey;
  return { id, wrapped: `w1.${by}.${id}`, by, scope, created: NOON, since: NOON };
}

async function taken(scope: KeyScope, offered: StoredDataKey | null) {
  const taking = await store.take(scope, offered);
  if (taking.kind !== "taken") throw new Error(`it was ${taking.kind}`);
  return taking;
}

describe("a data key of a scope", () => {
  it("is the one that is offered first, and every sealer gets a number of its own", async () => {
    expect(await store.take(TODAY, null)).toEqual({ kind: "none" });
    const [first, second] = [offer(), offer()];
    expect(await store.take(TODAY, first)).toEqual({ kind: "taken", stored: first, sealer: 1 });
    expect(await store.take(TODAY, second)).toEqual({ kind: "taken", stored: first, sealer: 2 });
    expect(await store.take(TODAY, null)).toEqual({ kind: "taken", stored: first, sealer: 3 });
    expect(await store.currentFor(TODAY)).toBe(first.id);
    expect(await store.load([first.id, second.id])).toEqual([first]);
    expect((await store.take("batch:b-1", null)).kind).toBe("none");
  });

  it("is one, whatever a hundred processes do at the same instant", async () => {
    const stores = Array.from({ length: 10 }, () => new DataKeyStore(redis.client()));
    const takings = Array.from({ length: 100 }, async (_, index) => await stores[index % 10]?.take(TODAY, offer()));
    const answers = (await Promise.all(takings)).flatMap((taking) => (taking?.kind === "taken" ? [taking] : []));
    expect(new Set(answers.map(({ stored }) => stored.id)).size).toBe(1);
    expect(answers.map(({ sealer }) => sealer).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    expect((await store.list()).dataKeys).toHaveLength(1);
  });

  it("gets a successor when its sealer numbers, of 32 bits, are used up", async () => {
    const { stored } = await taken(TODAY, offer());
    await redis.client().hset(`${DATA_KEYS}:sealers`, stored.id, 0xfffffffe);
    expect((await taken(TODAY, null)).sealer).toBe(0xffffffff);
    expect(await store.take(TODAY, null)).toEqual({ kind: "none" });
    const next = await taken(TODAY, offer());
    expect(next.stored.id).not.toBe(stored.id);
    expect(next.sealer).toBe(1);
  });

  it("that is closed opens, and seals no more", async () => {
    const { stored } = await taken(TODAY, offer());
    expect(await store.close([stored.id, "000000000000"])).toBe(1);
    expect(await store.load([stored.id])).toEqual([stored]);
    expect(await store.take(TODAY, null)).toEqual({ kind: "none" });
    expect(await store.close([stored.id])).toBe(0);
  });

  it("that is destroyed is gone, with all that is known of it, and all are told", async () => {
    const heard: string[] = [];
    const subscriber = redis.client();
    subscriber.on("message", (_channel, message: string) => heard.push(message));
    await subscriber.subscribe(DATA_KEYS_CHANNEL);
    const [one, other] = [await taken(TODAY, offer()), await taken("batch:b-1", offer("batch:b-1"))];
    expect(await store.destroy([one.stored.id, "000000000000"])).toBe(1);
    expect((await store.list()).dataKeys).toEqual([other.stored]);
    expect(await store.currentFor(TODAY)).toBeNull();
    expect(await redis.client().hkeys(`${DATA_KEYS}:sealers`)).toEqual([other.stored.id]);
    await expect.poll(() => heard).toEqual([`destroyed ${one.stored.id} 000000000000`]);
    expect(await store.destroy([])).toBe(0);
  });

  it("that is damaged is told by its id", async () => {
    await redis.client().hset(DATA_KEYS, "0123456789ab", '{"wrapped":7}');
    await expect(store.load(["0123456789ab"])).rejects.toMatchObject({
      code: ErrorCode.UNREADABLE,
      message: "the stored data key 0123456789ab is damaged",
    });
  });
});

describe("a wrapping key", () => {
  it("is replaced only where nobody was faster", async () => {
    const { stored } = await taken(TODAY, offer());
    expect(await store.rewrap(stored.id, "w1.k2.x", "k2", "w1.k9.other")).toBe("changed");
    expect(await store.rewrap("000000000000", "w1.k2.x", "k2", stored.wrapped)).toBe("changed");
    expect(await store.rewrap(stored.id, "w1.k2.x", "k2", stored.wrapped)).toBe("done");
    expect(await store.load([stored.id])).toEqual([{ ...stored, wrapped: "w1.k2.x", by: "k2" }]);
  });

  it("is not retired while it is needed, and then wraps nothing more, whoever asks", async () => {
    const { stored } = await taken(TODAY, offer(TODAY, "k1"));
    const { stored: other } = await taken("batch:b-1", offer("batch:b-1", "k2"));
    expect(await store.retire("k1", NOON)).toBe(1);
    expect(await store.retired()).toEqual(new Map());
    await store.rewrap(stored.id, "w1.k2.x", "k2", stored.wrapped);
    expect(await store.retire("k1", NOON)).toBe(0);
    expect(await store.retire("k1", NOON + 5)).toBe(0);
    expect(await store.retired()).toEqual(new Map([["k1", NOON]]));
    expect(await store.take("batch:b-2", offer("batch:b-2", "k1"))).toEqual({ kind: "retired" });
    expect(await store.rewrap(other.id, "w1.k1.x", "k1", other.wrapped)).toBe("retired");
    expect((await taken("batch:b-2", offer("batch:b-2", "k2"))).sealer).toBe(1);
  });
});

it("a renewal that did not end is the one that goes on", async () => {
  expect(await store.renewal()).toBeNull();
  const begun = await store.beginRenewal({ since: NOON, ids: ["a", "b"] });
  expect(await store.beginRenewal({ since: NOON + 1, ids: ["c"] })).toEqual(begun);
  await store.endRenewal();
  expect(await store.beginRenewal({ since: NOON + 1, ids: ["c"] })).toEqual({ since: NOON + 1, ids: ["c"] });
});
