import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { isHeld } from "../../src/batches/held.ts";
import { batchKey, openBatchesKeys } from "../../src/batches/keys.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { onboardingKey, onboardingsDueKey, OnboardingStore } from "../../src/flows/onboarding-store.ts";
import { recordKey } from "../../src/queues/names.ts";
import { brokenParentsKey, parentsKey } from "../../src/records/parent-outbox.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { startWorkerBundle } from "../support/worker.ts";

const EKO = "{eko-0}";
const good = (row: number): string => madeUpMobile(row, "000");
const sender = (row: number): { mobile: string; csp_id: string } => ({ mobile: good(row), csp_id: "9000000001" });

/** What a newer version writes, in place of what this one does. */
async function startBundle() {
  const bundle = await startWorkerBundle();
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const redis = bundle.redis.client();
  const unreadable = (): number => bundle.log.filter((line) => line.includes("of a newer version")).length;
  let others = 500;
  /** A batch that came later, of which this worker knows all, is over: so it has looked at those before. */
  const looked = async (): Promise<void> => {
    for (let times = 0; times < 2; times += 1) {
      others += 1;
      const { id } = await batches.submit(batches.rows(1, () => good(others)));
      expect((await batches.ended(id)).state).toBe("finished");
    }
  };
  return { ...bundle, ...{ batches, looked, redis, unreadable }, [Symbol.asyncDispose]: bundle[Symbol.asyncDispose] };
}

describe("what a newer version wrote", () => {
  it("is left as it is where it is a batch of another kind, also when all its rows have ended, and is said once", async () => {
    await using bundle = await startBundle();
    const { batches, redis, client, looked, unreadable } = bundle;
    const { id } = await batches.submit(batches.rows(2, good));
    const key = batchKey(EKO, id);
    await redis.hset(key, { kind: "chain", "n:w": "0", "n:s": "2" });
    await redis.set(`${key}:states`, "ss");
    await bundle.startWorker();
    await looked();
    expect(await redis.hmget(key, "state", "ended")).toEqual(["ready", null]);
    expect(await redis.zscore(openBatchesKeys(EKO)[0] ?? "", id)).not.toBeNull();
    expect(unreadable()).toBe(1);
    await expect(client.batches.show(id)).rejects.toMatchObject({ code: "unreadable" });
    // One that knows the kind.
    await redis.hset(key, { kind: "operation" });
    expect((await batches.ended(id)).state).toBe("finished");
  });

  it("keeps a batch open where rows are in a state that is not known, and no such row is told as another", async () => {
    await using bundle = await startBundle();
    const { batches, redis, client, looked } = bundle;
    const { id } = await batches.submit(batches.rows(2, good));
    const key = batchKey(EKO, id);
    await redis.hset(key, { "n:w": "1", "n:z": "1" });
    await redis.set(`${key}:states`, "zw");
    await bundle.startWorker();
    await expect.poll(async () => await redis.get(`${key}:states`)).toBe("zs");
    await looked();
    expect(await redis.hmget(key, "state", "ended")).toEqual(["running", null]);
    await expect(Array.fromAsync(client.batches.results(id))).rejects.toMatchObject({ code: "unreadable" });
    // Its person may have been called.
    const again = await batches.submit(batches.rows(1, good), { ownId: "again" });
    expect(again.counts).toEqual({ ...noRows(), duplicate: 1 });
    await redis.hset(key, { "n:z": "0", "n:s": "2" });
    await redis.set(`${key}:states`, "ss");
    expect((await batches.ended(id)).state).toBe("finished");
  });

  it("does not end the row whose job is in a state that is not known", async () => {
    await using bundle = await startBundle();
    const { batches, redis, looked, unreadable } = bundle;
    const { id } = await batches.submit(batches.rows(2, good));
    const key = batchKey(EKO, id);
    await redis.hset(key, { "n:w": "1", "n:q": "1" });
    await redis.set(`${key}:states`, "qw");
    await redis.hset(recordKey(EKO, `${id}-1`), { state: "parked" });
    await bundle.startWorker();
    await looked();
    expect(await batches.show(id)).toMatchObject({
      state: "running",
      counts: { ...noRows(), queued: 1, succeeded: 1 },
    });
    expect(unreadable()).toBe(1);
  });

  it("does not end the row whose onboarding is in such a state, nor is that forgotten", async () => {
    await using bundle = await startBundle();
    const { batches, redis, looked } = bundle;
    const { id } = await batches.submit(batches.flowRows("eko.mobile", 1, sender), { flow: "eko.mobile" });
    const key = batchKey(EKO, id);
    const one = onboardingKey(EKO, `${id}-1`);
    await redis.hset(key, { "n:w": "0", "n:q": "1" });
    await redis.set(`${key}:states`, "q");
    await redis.hset(one, { terms: "eko.mobile bulk 1 ~ ~", state: "parked" });
    await redis.zadd(onboardingsDueKey(EKO), 1, `${id}-1`);
    await bundle.startWorker();
    await looked();
    const due = async (): Promise<number> => Number(await redis.zscore(onboardingsDueKey(EKO), `${id}-1`));
    await expect.poll(due).toBeGreaterThan(Date.now());
    expect((await batches.show(id)).counts).toEqual({ ...noRows(), queued: 1 });
    expect(await redis.hget(one, "state")).toBe("parked");
  });

  it("is not called a second time where it is an onboarding of a person", async () => {
    await using bundle = await startBundle();
    const { batches, redis, client } = bundle;
    const { id } = await client.onboard("eko.mobile", sender(1));
    await redis.hset(onboardingKey(EKO, id), { state: "parked" });
    const { counts } = await batches.submit(batches.flowRows("eko.mobile", 1, sender), { flow: "eko.mobile" });
    expect(counts).toEqual({ ...noRows(), duplicate: 1 });
    const store = new OnboardingStore(redis, bundle.settings.retention);
    await expect(store.get(EKO, id)).rejects.toMatchObject({ code: "unreadable" });
  });

  it("fails no row where it is an input with a field more: its batch says why it stands", async () => {
    await using bundle = await startBundle();
    const { batches } = bundle;
    const rows = batches.rows(2, good).map((row) => ({ ...row, input: { ...row.input, colour: "blue" } }));
    const { id } = await batches.submit(rows);
    await bundle.startWorker();
    await expect
      .poll(async () => (await batches.show(id)).reason)
      .toMatch(/cannot read what is kept of it: the input of row 1 does not fit eko\.mobile-otp of this version/);
    expect((await batches.show(id)).counts).toEqual({ ...noRows(), waiting: 2 });
  });

  it("keeps the news of its rows for people", async () => {
    await using bundle = await startBundle();
    const { batches, redis } = bundle;
    const { id } = await batches.submit(batches.rows(1, good));
    await bundle.startWorker();
    await batches.ended(id);
    await redis.hset(batchKey(EKO, id), { kind: "chain" });
    await redis.xadd(parentsKey(EKO), "*", "e", `${id}-1 unknown b:${id}:1`);
    await expect.poll(async () => await redis.xlen(brokenParentsKey(EKO))).toBe(1);
  });

  it("holds the steps of its batch back where that is in a state that is not known, until it is over", async () => {
    await using bundle = await startBundle();
    const { batches, redis } = bundle;
    const { id } = await batches.submit(batches.flowRows("eko.mobile", 1, sender), { flow: "eko.mobile" });
    const one = { parent: `b:${id}:1` } as Parameters<typeof isHeld>[2];
    expect(await isHeld(redis, EKO, one)).toBe(false);
    await redis.hset(batchKey(EKO, id), { state: "resting" });
    expect(await isHeld(redis, EKO, one)).toBe(true);
    await redis.hset(batchKey(EKO, id), { ended: "1" });
    expect(await isHeld(redis, EKO, one)).toBe(false);
  });
});
