import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archiveKey, dueKey, recordKey } from "../../../src/queues/names.ts";
import { idsInArchive, TIME_LENGTHS } from "../../../src/records/archive.ts";
import { createIds } from "../../../src/records/ids.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { HOUR, OTP_DIES, recordsAtRest, SENT } from "./archive-bundle.ts";
import { ending, newJob, QUEUE, settled, T0 } from "./journal-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

const DECISION = '{"by":"test"}';

/** Where a record with this id may be archived. */
function placesOf(id: string): string[] {
  const time = archiveKey(QUEUE, id.slice(0, TIME_LENGTHS.first));
  return [time, time + id.slice(-1), archiveKey(QUEUE, id.slice(0, TIME_LENGTHS.last)) + id.slice(-1)];
}

describe("something else at a key of the archive", () => {
  it("keeps no job from being made, run, archived elsewhere and found", async () => {
    const { client, store, journal } = await recordsAtRest(redis, []);
    const job = newJob({ id: createIds().job(T0), createdAt: T0 });
    const [first = "", second = ""] = placesOf(job.id);
    await client.set(first, "foreign");
    expect(await store.get(QUEUE, job.id)).toBeNull();
    expect(await store.create(QUEUE, [job])).toEqual(["created"]);
    await journal.finish(job.id, T0 + 30, ending(await journal.begin(job.id, "fresh", T0 + 10), SENT));
    const before = await store.get(QUEUE, job.id);
    await store.reap(QUEUE, OTP_DIES);
    expect(await client.hkeys(second)).toEqual([job.id]);
    expect(await store.get(QUEUE, job.id)).toEqual(before);
    expect(await idsInArchive(client, [first, second])).toEqual([job.id]);
    expect(await store.create(QUEUE, [{ ...job, createdAt: T0 + HOUR }])).toEqual(["duplicate"]);
    expect(await client.get(first)).toBe("foreign");
  });

  it("leaves a record its own key where all places hold something else", async () => {
    const { client, store, journal } = await recordsAtRest(redis, []);
    const ids = createIds((bytes) => bytes.fill(7));
    // The one is packed as it ends, the other by the reaper.
    for (const [at, end] of [
      [T0, SENT],
      [T0 + 1, { ...SENT, used: 2, lost: true }],
    ] as const) {
      const job = newJob({ id: ids.job(at), createdAt: T0 });
      await store.create(QUEUE, [job]);
      await journal.finish(job.id, T0 + 30, ending(await journal.begin(job.id, "fresh", T0 + 10), end));
      for (const place of placesOf(job.id)) await client.set(place, "foreign");
      const before = await store.get(QUEUE, job.id);
      await store.reap(QUEUE, OTP_DIES);
      expect(await store.get(QUEUE, job.id)).toEqual(before);
      expect(await client.hexists(recordKey(QUEUE, job.id), "input")).toBe(0);
      expect(await client.zcard(dueKey(QUEUE))).toBe(0);
    }
  });

  it("refuses an id that was made before, because its record may have been there; nothing was of a job that is looked for", async () => {
    const { client, store, journal, made } = await recordsAtRest(redis, [{}]);
    const [{ id } = newJob()] = made;
    await client.set(placesOf(id)[0] ?? "", "foreign");
    expect(await store.create(QUEUE, [{ ...newJob(made[0]), createdAt: T0 + HOUR }])).toEqual(["conflict"]);
    expect(await client.exists(recordKey(QUEUE, id))).toBe(0);
    expect(await journal.begin(id, "fresh", T0 + HOUR)).toEqual({ kind: "missing" });
    expect(await store.settle(QUEUE, id, "rejected", DECISION, T0, SENT.retention, settled(id))).toBe("missing");
  });
});

describe("a record in the archive that cannot be read", () => {
  it.each([
    ["has a state of a later version", "zDIGEST\0a\0b\0"],
    ["is empty", ""],
    ["was cut off in its digest", "sDIG"],
    ["was cut off in a field", "sDIGEST\x001\0some"],
    ["was cut off behind a name", "sDIGEST\x001\0"],
  ])("that %s is left alone, shown as such and not called again", async (_, text) => {
    const { client, store, journal, made, before } = await recordsAtRest(redis, [{}]);
    const [job = newJob()] = made;
    const [place = ""] = placesOf(job.id);
    await client.hset(place, job.id, text);
    const other = newJob({ id: createIds().job(T0), createdAt: T0 });
    expect(await store.create(QUEUE, [job, other])).toEqual(["conflict", "created"]);
    const starts = [journal.begin(job.id, "fresh", T0 + HOUR), journal.begin(other.id, "fresh", T0 + HOUR)];
    expect(await Promise.all(starts)).toMatchObject([{ kind: "no-record" }, { kind: "run" }]);
    const [{ start } = { start: { kind: "missing" as const } }] = before;
    expect(await journal.finish(job.id, T0 + 30, ending(start, SENT))).toMatchObject({ answer: "missing" });
    expect(await store.abandon(QUEUE, job.id, "failed", "given up", T0)).toBe("done");
    expect(await store.settle(QUEUE, job.id, "rejected", DECISION, T0, SENT.retention, settled(job.id))).toBe(
      "missing",
    );
    expect(await store.revive(QUEUE, job.id, DECISION, T0, settled(job.id))).toBe("missing");
    expect(await store.get(QUEUE, job.id)).toMatchObject({ state: "failed", unreadable: ["job", "state"] });
    expect(await store.digests(QUEUE, [job.id])).toEqual([""]);
    expect(await client.exists(recordKey(QUEUE, job.id))).toBe(0);
    expect(await client.hget(place, job.id)).toBe(text);
  });
});
