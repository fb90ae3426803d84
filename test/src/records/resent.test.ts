import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SealedRecords } from "../../../producers/keys/sealed-records.ts";
import { queuePrefix } from "../../../src/queues/names.ts";
import type { Permit } from "../../../src/records/attempt-start.ts";
import { Journal } from "../../../src/records/journal.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { sentTwice } from "../../support/sent-twice.ts";
import { ending, newJob, POLICY, QUEUE, RETENTION, settled, setup, T0, waiting } from "./journal-bundle.ts";

let redis: TestRedis;
beforeAll(async () => (redis = await startTestRedis()));
afterAll(async () => await redis.stop());

describe("a step of a record that is sent again, because its answer was cut off", () => {
  it("tells the reaper again what ended, so that it is counted, and packs it", async () => {
    const { store, id, client, key, finish, begin } = await setup(redis, { expiresAt: T0 + 1_000 });
    const sent = newJob({ id: `${id}s` });
    await store.create(QUEUE, [sent]);
    const retention = { lookAt: T0 + 1_000, keepsInput: true } as const;
    const journal = (await setup(redis)).journal;
    await journal.finish(sent.id, T0 + 30, ending(await journal.begin(sent.id, "fresh-2", T0), { retention }));
    await finish(T0 + 30, ending(await begin(T0), waiting(T0 + 9_000, "backoff", "later")));
    const reaped = await sentTwice(redis, /:due\r/, async (other) => {
      // Whether anything is due it asks before: that is read on the other way.
      other.zrange = client.zrange.bind(client);
      return await new RecordStore(other, RETENTION).reap(QUEUE, T0 + 2_000);
    });
    expect(reaped).toMatchObject({ expired: [{ id, state: "expired" }], unanswered: ["eko.mobile-otp"] });
    expect(await client.hexists(key, "1")).toBe(1);
    expect(await store.reap(QUEUE, T0 + 2_000)).toMatchObject({ expired: [], unanswered: [] });
  });

  it("tells again that a deadline came, and of a job that had ended before that it had", async () => {
    const { id, begin, newJournal } = await setup(redis, { expiresAt: T0 + 1_000 });
    expect(await begin(T0 + 2_000)).toMatchObject({ kind: "expired", state: "expired" });
    expect(await begin(T0 + 2_000)).toMatchObject({ kind: "expired", state: "expired" });
    expect(await newJournal().begin(id, "fresh-2", T0 + 2_001)).toMatchObject({ kind: "settled" });
  });

  it("brings a job forward once, and says so", async () => {
    const { store, id, begin, finish, get } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0), waiting(T0 + 60_000, "backoff", "later")));
    const line = `{"decision":"promote","reason":null,"at":${T0 + 40}}`;
    const promote = async () => await store.promote(QUEUE, id, line, T0 + 40, settled(id));
    expect([await promote(), await promote()]).toEqual(["done", "done"]);
    expect((await get())?.decisions).toHaveLength(1);
    await begin(T0 + 50);
    expect(await promote()).toBe("done");
  });

  it("charges no second permit: that of an attempt is given back for the one that is called with, and that one is given once", async () => {
    const { client, id, journal } = await setup(redis);
    const permits = `${queuePrefix(QUEUE)}permits`;
    await client.del(permits);
    const begun = [await journal.begin(id, "fresh-1", T0), await journal.begin(id, "fresh-1", T0)];
    expect(begun[1]).toMatchObject({ kind: "run" });
    const [first, again] = begun.flatMap((start) => (start.kind === "run" ? [start] : []));
    expect(again?.permit.id).toBe(first?.permit.id);
    const another = await sentTwice(redis, /:control\r/, async (other) => {
      const ours = new Journal({ redis: other, queue: QUEUE, retentionMs: RETENTION.recordMs, policy: POLICY });
      return await ours.permit(again?.permit.id ?? "", id, again?.attemptToken ?? "", null);
    });
    expect(await client.lrange(permits, 0, -1)).toEqual([(another as Permit).id]);
  });

  it("counts a field that was sealed anew", async () => {
    const { client, id, created } = await setup(redis);
    const records = new SealedRecords(client);
    const record = await records.get(QUEUE, id);
    if (record === null) throw new Error("it was not recorded");
    const replace = async (text: string) => await records.replace(record, "input", created.input, text);
    expect([await replace("sealed anew"), await replace("sealed anew"), await replace("other")]).toEqual([
      ...[true, true, false],
    ]);
  });
});
