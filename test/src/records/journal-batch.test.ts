import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordKey, SETTLED_CHANNEL } from "../../../src/queues/names.ts";
import type { AttemptStart } from "../../../src/records/attempt-start.ts";
import { createIds } from "../../../src/records/ids.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, newJob, QUEUE, setup, T0 } from "./journal-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** A journal, and so many jobs that are recorded. */
async function several(count: number) {
  const bundle = await setup(redis);
  const ids = createIds();
  const jobs = Array.from({ length: count }, () => newJob({ id: ids.job(T0) }));
  await bundle.store.create(QUEUE, jobs);
  return { ...bundle, ids: jobs.map(({ id }) => id) };
}

const kindsOf = (results: readonly PromiseSettledResult<AttemptStart>[]) =>
  results.map((result) => (result.status === "fulfilled" ? result.value.kind : "rejected"));

describe("the jobs of one moment", () => {
  it("share a round trip before their calls and one after, 32 at most, and each gets its own answer", async () => {
    const { client, journal, ids, begin, finish } = await several(70);
    await finish(T0 + 30, ending(await begin(T0))); // Redis knows both scripts from now on
    const scripts = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info("commandstats"))?.[1] ?? 0);
    const before = await scripts();
    const begun = await Promise.all(ids.map(async (id) => await journal.begin(id, "unused", T0 + 10)));
    expect(await scripts()).toBe(before + 3);
    expect(begun.map((one) => one.kind === "run" && one.clientRefId)).toEqual(ids.map((id) => `${id}01`));
    await Promise.all(
      ids.map(async (id, index) => {
        const how = ending(begun[index] ?? { kind: "missing" }, { result: { tid: String(index) } });
        expect((await journal.finish(id, T0 + 30, how)).answer).toBe("done");
      }),
    );
    expect(await scripts()).toBe(before + 6);
    const { store } = await setup(redis);
    const tids = (await store.getMany(QUEUE, ids)).map((record) => record?.result?.["tid"]);
    expect(tids).toEqual(ids.map((_, index) => String(index)));
  });

  it("may stand at different points, which they are told in their order", async () => {
    const { journal, store, ids, add } = await several(3);
    const [fresh = "", done = "", open = ""] = ids;
    await store.abandon(QUEUE, done, "cancelled", "not wanted", T0);
    await journal.begin(open, "unused", T0);
    const { id: late } = await add({ expiresAt: T0 + 5 });
    const asked = [open, "nobody", fresh, late, done];
    const answers = await Promise.all(asked.map(async (id) => await journal.begin(id, "unused", T0 + 10)));
    expect(answers.map(({ kind }) => kind)).toEqual(["open", "missing", "run", "expired", "settled"]);
  });

  it.each([
    ["holds no hash", "no-record", async (set: SetUp, key: string) => void (await set.client.set(key, "a text"))],
    ["lost what was submitted", "broken", async (set: SetUp, key: string) => void (await set.client.hdel(key, "job"))],
    [
      "was altered",
      "broken",
      async (set: SetUp, key: string) => void (await set.client.hset(key, "job", "eko.mobile-otp")),
    ],
  ])("begin though a record among them %s, which is told only to its own job", async (_what, told, spoil) => {
    const bundle = await several(5);
    const { journal, ids, store } = bundle;
    const spoilt = ids[2] ?? "";
    await spoil(bundle, recordKey(QUEUE, spoilt));
    const results = await Promise.allSettled(ids.map(async (id) => await journal.begin(id, "unused", T0 + 10)));
    expect(kindsOf(results)).toEqual(["run", "run", told, "run", "run"]);
    const others = await store.getMany(QUEUE, ids.toSpliced(2, 1));
    expect(others.map((record) => record?.state)).toEqual(["active", "active", "active", "active"]);
  });

  it("end though the record of one of them is broken, and who waits for the others hears of it", async () => {
    const { client, journal, store, ids } = await several(5);
    const subscriber = redis.client();
    await subscriber.subscribe(SETTLED_CHANNEL);
    const heard = new Promise<string>((resolve) => subscriber.on("message", (_channel, message) => resolve(message)));
    const begun = await Promise.all(ids.map(async (id) => await journal.begin(id, "unused", T0 + 10)));
    await client.set(recordKey(QUEUE, ids[2] ?? ""), "a text");
    const results = await Promise.allSettled(
      ids.map(async (id, index) => await journal.finish(id, T0 + 30, ending(begun[index] ?? { kind: "missing" }))),
    );
    const answers = results.map((result) => (result.status === "fulfilled" ? result.value.answer : "rejected"));
    expect(answers).toEqual(["done", "done", "missing", "done", "done"]);
    // Also who waits for the one: it is parked.
    expect((await heard).split(" ")).toEqual(ids);
    const states = (await store.getMany(QUEUE, ids.toSpliced(2, 1))).map((record) => record?.state);
    expect(new Set(states)).toEqual(new Set(["succeeded"]));
  });

  it("all reject where Redis is away, and none of them was begun", async () => {
    const { client, journal, store, ids } = await several(3);
    client.disconnect();
    const results = await Promise.allSettled(ids.map(async (id) => await journal.begin(id, "unused", T0)));
    expect(kindsOf(results)).toEqual(["rejected", "rejected", "rejected"]);
    await client.connect();
    expect((await store.getMany(QUEUE, ids)).map((record) => record?.state)).toEqual(["queued", "queued", "queued"]);
  });
});

type SetUp = Awaited<ReturnType<typeof several>>;
