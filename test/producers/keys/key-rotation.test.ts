import { describe, expect, it } from "vitest";
import { KeyRotation } from "../../../producers/keys/key-rotation.ts";
import { keyStatus } from "../../../producers/keys/key-status.ts";
import { IN_HAND_MS } from "../../../producers/keys/resealing.ts";
import { SealedRecords } from "../../../producers/keys/sealed-records.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { findFlow } from "../../../src/flows/flows.ts";
import { newOnboarding } from "../../../src/flows/new-onboarding.ts";
import { OnboardingStore } from "../../../src/flows/onboarding-store.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";
import { dataKeyIdsIn } from "../../../src/privacy/sealing/sealed-text.ts";
import { openInput } from "../../../src/records/sealed-input.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { DATA_KEYS } from "../../../src/privacy/keys/data-key-store.ts";
import { assertWraps } from "../../../src/privacy/keys/key-chain.ts";
import { recordKey } from "../../../src/queues/names.ts";
import { meanwhile } from "../../support/meanwhile.ts";
import { Script } from "../../support/script.ts";
import { newRingKey } from "../../src/privacy/keys/keys-bundle.ts";
import { mobileOf, NAME, ringOf, startKeysBundle, TODAY } from "./keys-bundle.ts";

const [OLD, NEW] = [newRingKey("old"), newRingKey("new")];
const ids = Array.from({ length: 40 }, (_, index) => `j-${index}`);

describe("keys status", () => {
  it("counts data keys by wrapping key, and jobs by data key", async () => {
    await using bundle = await startKeysBundle();
    const before = bundle.deps(ringOf(OLD));
    for (const id of ids.slice(0, 3)) await bundle.addJob(before, id);
    const after = bundle.deps(ringOf(NEW, OLD));
    await bundle.addJob(after, "j-10", "batch:b-1");
    await bundle.addJob(after, "j-11", "batch:b-2");
    await after.dataKeys.destroy(await bundle.dataKeysOf("j-11"));
    await bundle.redis.client().hset(recordKey("{eko-0}", "j-12"), { state: "succeeded" });
    const seen: number[] = [];
    const status = await new KeyRotation(bundle.use(ringOf(NEW, OLD))).status({
      onProgress: (done, total) => seen.push(done / total),
    });
    expect(status.wrapping_keys).toEqual([
      { id: "new", wraps: true, wraps_since: null, at_hand: true, retired_at: null, data_keys: 1, workers: 0 },
      { id: "old", wraps: false, wraps_since: null, at_hand: true, retired_at: null, data_keys: 1, workers: 0 },
    ]);
    expect(status.data_keys.map(({ scope, wrapped_by, current, jobs }) => [scope, wrapped_by, current, jobs])).toEqual(
      expect.arrayContaining([
        [TODAY, "old", true, 3],
        ["batch:b-1", "new", true, 1],
      ]),
    );
    expect(status.data_keys).toHaveLength(2);
    expect(status).toMatchObject({ shredded_jobs: 1, renewal_since: null, damaged_data_keys: [] });
    expect(seen.at(-1)).toBe(1);
    await after.store.wrapsSince("old", 1_000);
    await after.store.wrapsSince("new", 2_000);
    const elsewhere = await new KeyRotation(bundle.use(ringOf(NEW))).status();
    expect(elsewhere.wrapping_keys).toContainEqual(
      expect.objectContaining({ id: "new", wraps_since: "1970-01-01T00:00:02.000Z" }),
    );
    expect(elsewhere.wrapping_keys).toContainEqual({
      ...{ id: "old", wraps: false, wraps_since: null, at_hand: false, retired_at: null, data_keys: 1, workers: 0 },
    });
  });

  it("does not take what is sealed under a data key that was made meanwhile for shredded", async () => {
    await using bundle = await startKeysBundle();
    const deps = bundle.deps(ringOf(OLD));
    await bundle.addJob(deps, "j-1");
    await using beside = await meanwhile(bundle.redis, /\bscan\b/i, async () => {
      await bundle.addJob(deps, "j-2", "batch:b-2");
    });
    const status = await keyStatus({ ...deps, redis: beside.client });
    expect(status.data_keys.map(({ scope, jobs }) => [scope, jobs])).toEqual(
      expect.arrayContaining([
        [TODAY, 1],
        ["batch:b-2", 1],
      ]),
    );
    expect(status.shredded_jobs).toBe(0);
  });
});

describe("keys rotate", () => {
  it("wraps every data key anew: jobs keep working, also in processes that did not notice", async () => {
    await using bundle = await startKeysBundle();
    const before = bundle.deps(ringOf(OLD));
    for (const scope of [TODAY, "batch:b-1"] as const) await bundle.addJob(before, `j-${scope.length}`, scope);
    const rotation = new KeyRotation(bundle.use(ringOf(NEW, OLD)));
    const names = await bundle.dataKeysOf("j-14");
    expect(await rotation.rewrap()).toEqual({ rewrapped: 2, missing: {} });
    expect(await bundle.dataKeysOf("j-14")).toEqual(names);
    for (const deps of [before, bundle.deps(ringOf(NEW))])
      expect(await bundle.read(deps, "j-14")).toEqual([mobileOf("j-14"), NAME]);
    expect(await rotation.rewrap()).toEqual({ rewrapped: 0, missing: {} });
  });

  it("says what it cannot unwrap, and wraps the rest", async () => {
    await using bundle = await startKeysBundle();
    await bundle.addJob(bundle.deps(ringOf(newRingKey("lost"))), "j-1", "batch:lost");
    await bundle.addJob(bundle.deps(ringOf(OLD)), "j-2");
    const rotation = new KeyRotation(bundle.use(ringOf(NEW, OLD)));
    expect(await rotation.rewrap()).toEqual({ rewrapped: 1, missing: { lost: 1 } });
  });
});

describe("keys retire", () => {
  it("is refused with the count while the key is needed, and for the key that wraps", async () => {
    await using bundle = await startKeysBundle();
    const before = bundle.deps(ringOf(OLD));
    await bundle.addJob(before, "j-1");
    await bundle.addJob(before, "j-2", "batch:b-1");
    const rotation = new KeyRotation(bundle.use(ringOf(NEW, OLD)));
    await expect(rotation.retire("old")).rejects.toMatchObject({
      code: ErrorCode.KEY_NEEDED,
      message: expect.stringContaining("still needed: 2 data keys are wrapped by it") as string,
    });
    await expect(rotation.retire("new")).rejects.toMatchObject({
      code: ErrorCode.KEY_NEEDED,
      message: expect.stringContaining("wraps new data keys here") as string,
    });
    await expect(rotation.retire("never")).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT });
  });

  it("leaves a ring that opens everything without the old key, and no process that wraps with it", async () => {
    await using bundle = await startKeysBundle();
    await bundle.addJob(bundle.deps(ringOf(OLD)), "j-1");
    const rotation = new KeyRotation(bundle.use(ringOf(NEW, OLD)));
    await rotation.rewrap();
    await rotation.retire("old");
    expect(await bundle.read(bundle.deps(ringOf(NEW)), "j-1")).toEqual([mobileOf("j-1"), NAME]);
    await assertWraps(bundle.deps(ringOf(NEW)));
    const late = bundle.deps(ringOf(OLD, NEW));
    await expect(assertWraps(late)).rejects.toMatchObject({
      code: ErrorCode.BAD_SETTINGS,
      message: expect.stringContaining("the key old was retired") as string,
    });
    await expect(bundle.addJob(late, "j-2", "batch:b-1")).rejects.toMatchObject({ code: ErrorCode.BAD_SETTINGS });
    const [old] = (await rotation.status()).wrapping_keys.filter(({ id }) => id === "old");
    expect(old?.retired_at).toBe(new Date(bundle.now).toISOString());
  });
});

describe("keys rotate --data", () => {
  it("seals onboardings anew, too", async () => {
    await using bundle = await startKeysBundle();
    const { dataKeys, redis } = bundle.deps(ringOf(OLD));
    const flow = findFlow("eko.mobile");
    const input = parseInput(flow, flow.example, { now: 0, aadhaarChecksum: true });
    const terms = { id: "asha", lane: "bulk", createdAt: bundle.now, expiresAt: null, parent: null } as const;
    const key = new Secret(Buffer.alloc(32, 1).toString("base64"));
    const store = new OnboardingStore(redis, { recordMs: 60_000, resultMs: 3_600_000 });
    const sealer = await dataKeys.sealer("day:2026-11-26");
    await store.begin("{eko-0}", newOnboarding(flow, input, key, sealer, terms));
    const before = (await store.get("{eko-0}", "asha"))?.input ?? "";
    const renewed = await new KeyRotation(bundle.use(ringOf(OLD))).renew();
    expect(renewed).toEqual({ replaced: 1, resealed: 1, unreadable: 0, locked: 0, done: true });
    const after = (await store.get("{eko-0}", "asha"))?.input ?? "";
    expect(dataKeyIdsIn(after)).not.toEqual(dataKeyIdsIn(before));
    const opener = await bundle.deps(ringOf(OLD)).dataKeys.opener([after]);
    expect(openInput(opener, flow, "asha", after)["mobile"]).toBeInstanceOf(Secret);
  });

  it("seals every live record anew, with its progress, and waits until nobody holds the old keys", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(ringOf(OLD));
    for (const id of ids) await bundle.addJob(worker, id);
    await bundle.addJob(worker, "j-90", "batch:b-1");
    const [before] = await bundle.dataKeysOf("j-0");
    // A worker that has not heard of it seals with the old key once more.
    bundle.onWait = async () => {
      bundle.onWait = async () => {};
      bundle.now -= IN_HAND_MS;
      await bundle.addJob(worker, "j-91");
      bundle.now += IN_HAND_MS;
      expect(await bundle.dataKeysOf("j-91")).toEqual([before]);
    };
    const seen: number[] = [];
    const onProgress = (done: number, total: number): void => void seen.push(done / total);
    const renewed = await new KeyRotation(bundle.use(ringOf(OLD))).renew({ onProgress });
    expect(renewed).toEqual({ replaced: 2, resealed: 2 * 42, unreadable: 0, locked: 0, done: true });
    expect(seen.at(-1)).toBe(1);
    expect(bundle.waits).toEqual([IN_HAND_MS, IN_HAND_MS]);
    const names = await Promise.all([...ids, "j-91"].map(async (id) => await bundle.dataKeysOf(id)));
    expect(new Set(names.map(String)).size).toBe(1);
    expect(names[0]).not.toEqual([before]);
    expect(await bundle.dataKeysOf("j-90")).not.toEqual(names[0]);
    for (const id of [...ids, "j-90", "j-91"]) expect(await bundle.read(worker, id)).toEqual([mobileOf(id), NAME]);
    expect((await new KeyRotation(bundle.use(ringOf(OLD))).status()).renewal_since).toBeNull();
  });

  it("goes on where it was ended", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(ringOf(OLD));
    for (const id of ids) await bundle.addJob(worker, id);
    const abort = new AbortController();
    const replace = bundle.use(ringOf(OLD));
    const stopping: typeof replace = async (work) =>
      await replace(async (deps) => {
        let opened = 0;
        const dataKeys = Object.create(deps.dataKeys, {
          opener: {
            value: async (texts: readonly string[]) => {
              if (++opened === 10) abort.abort();
              return await deps.dataKeys.opener(texts);
            },
          },
          sealer: { value: deps.dataKeys.sealer.bind(deps.dataKeys) },
          close: { value: deps.dataKeys.close.bind(deps.dataKeys) },
        }) as typeof deps.dataKeys;
        return await work({ ...deps, dataKeys });
      });
    const first = await new KeyRotation(stopping).renew({ signal: abort.signal });
    expect(first).toMatchObject({ done: false, resealed: 20 });
    const rotation = new KeyRotation(bundle.use(ringOf(OLD)));
    expect((await rotation.status()).renewal_since).not.toBeNull();
    expect(await rotation.renew()).toEqual({ replaced: 1, resealed: 60, unreadable: 0, locked: 0, done: true });
    for (const id of ids) expect(await bundle.read(worker, id)).toEqual([mobileOf(id), NAME]);
    expect((await rotation.status()).data_keys.map(({ jobs }) => jobs).toSorted((a, b) => a - b)).toEqual([0, 40]);
  });

  it("that was killed is done by another", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(ringOf(OLD));
    const many = Array.from({ length: 1_500 }, (_, index) => `j-${index}`);
    await Promise.all(many.map(async (id) => await bundle.addJob(worker, id)));
    await using renewing = new Script("key-renewal.ts", [bundle.redis.url, OLD]);
    await renewing.line();
    await renewing.kill9();
    const rotation = new KeyRotation(bundle.use(ringOf(OLD)));
    const before = await rotation.status();
    expect(before.renewal_since).not.toBeNull();
    const done = before.data_keys.find(({ current }) => current)?.jobs ?? 0;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(1_500);
    const renewed = await rotation.renew();
    expect(renewed).toMatchObject({ replaced: 1, resealed: 2 * (1_500 - done), done: true, unreadable: 0 });
    const after = (await rotation.status()).data_keys.map(({ current, jobs }) => [current, jobs]);
    expect(after).toEqual(
      expect.arrayContaining([
        [true, 1_500],
        [false, 0],
      ]),
    );
    for (const id of ["j-0", "j-700", "j-1499"]) expect(await bundle.read(worker, id)).toEqual([mobileOf(id), NAME]);
  });

  it("leaves what another has changed or removed meanwhile", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(ringOf(OLD));
    await bundle.addJob(worker, "j-1");
    const records = new SealedRecords(worker.redis);
    const read = await records.get("{eko-0}", "j-1");
    if (read === null) throw new Error("there is no record");
    const old = read.texts.find(({ field }) => field === "personal")?.text ?? "";
    const key = recordKey("{eko-0}", "j-1");
    await worker.redis.hset(key, "personal", "the worker's");
    expect(await records.replace(read, "personal", old, "ours")).toBe(false);
    expect(await worker.redis.hget(key, "personal")).toBe("the worker's");
    await worker.redis.hdel(key, "personal");
    expect(await records.replace(read, "personal", old, "ours")).toBe(false);
    expect(await worker.redis.hexists(key, "personal")).toBe(0);
    const input = read.texts.find(({ field }) => field === "input")?.text ?? "";
    expect(await records.replace(read, "input", input, "ours")).toBe(true);
  });

  it("leaves what it cannot open", async () => {
    await using bundle = await startKeysBundle();
    const worker = bundle.deps(ringOf(OLD));
    for (const id of ids.slice(0, 4)) await bundle.addJob(worker, id);
    const client = bundle.redis.client();
    const [name] = await bundle.dataKeysOf("j-1");
    const damaged = JSON.stringify({ plain: {}, sealed: { mobile: `s2.${name}.AAAA` } });
    await client.hset(recordKey("{eko-0}", "j-1"), "input", damaged);
    const swapped = (await client.hget(recordKey("{eko-0}", "j-3"), "personal")) ?? "";
    await client.hset(recordKey("{eko-0}", "j-2"), "personal", swapped);
    const renewed = await new KeyRotation(bundle.use(ringOf(OLD))).renew();
    expect(renewed).toMatchObject({ resealed: 6, unreadable: 2, done: true });
    expect(await client.hget(recordKey("{eko-0}", "j-1"), "input")).toBe(damaged);
    expect(await client.hget(recordKey("{eko-0}", "j-1"), "personal")).not.toContain(name);
    expect(await client.hget(recordKey("{eko-0}", "j-2"), "personal")).toBe(swapped);
    expect(await bundle.read(worker, "j-0")).toEqual([mobileOf("j-0"), NAME]);
  });

  it("counts what it lacks the wrapping key for, and what was shredded", async () => {
    await using bundle = await startKeysBundle();
    await bundle.addJob(bundle.deps(ringOf(newRingKey("lost"))), "j-1", "batch:lost");
    const worker = bundle.deps(ringOf(OLD));
    await bundle.addJob(worker, "j-2");
    await bundle.addJob(worker, "j-3", "batch:b-1");
    await bundle.keysRedis.client().hdel(DATA_KEYS, ...(await bundle.dataKeysOf("j-3")));
    const renewed = await new KeyRotation(bundle.use(ringOf(OLD))).renew();
    expect(renewed).toMatchObject({ resealed: 2, locked: 1, done: true });
  });
});
