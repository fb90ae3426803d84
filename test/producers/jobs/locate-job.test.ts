import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { locateJob } from "../../../producers/jobs/locate-job.ts";
import { bullmqPrefix, queueOf, recordKey } from "../../../src/queues/names.ts";
import { TicketLists } from "../../../src/queues/ticket-lists.ts";
import { packJob } from "../../../src/records/stored-job.ts";
import { meanwhile } from "../../support/meanwhile.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const QUEUE = queueOf("eko");
const BASE = bullmqPrefix(QUEUE);
const TICKET = "t-2b-one";
const JOB = packJob({
  ...{ operation: "eko.mobile-otp", lane: "bulk", createdAt: 1, expiresAt: null, subject: null },
  ...{ reference: "derived", of: null, holdNames: [] },
});

describe("the place of a job that goes on while it is looked for", () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startTestRedis()));
  afterAll(async () => await redis.stop());
  beforeEach(async () => {
    const client = redis.client();
    await client.flushall();
    await client.hset(recordKey(QUEUE, "one"), { job: JOB, state: "queued", updated: "1", ticket: TICKET });
    await client.hset(`${BASE}${TICKET}`, "name", "call");
    await client.zadd(`${BASE}prioritized`, 1, TICKET);
    await new TicketLists(client, QUEUE).put([{ name: TICKET, ids: ["one", "other"] }], 1);
  });

  it("is nowhere once its ticket is done, and its record says so", async () => {
    await using beside = await meanwhile(redis, new RegExp(`exists[^]*${TICKET}`), async (other) => {
      await other.hset(recordKey(QUEUE, "one"), "state", "succeeded");
      await other.del(`${BASE}${TICKET}`, `${BASE}prioritized`);
    });
    const located = await locateJob(beside.client, QUEUE, "one");
    expect(located).toMatchObject({ fields: { state: "succeeded" }, place: { kind: "none" } });
  });

  it("is its own entry, which it got in its ticket's stead", async () => {
    await using beside = await meanwhile(redis, new RegExp(`exists[^]*${TICKET}`), async (other) => {
      await other.hset(`${BASE}j-one`, "name", "call");
      await other.zadd(`${BASE}delayed`, 4_096 * 60_000, "j-one");
      await other.del(`${BASE}${TICKET}`, `${BASE}prioritized`);
    });
    expect((await locateJob(beside.client, QUEUE, "one"))?.place).toEqual({ kind: "delayed", until: 60_000 });
  });

  it("has only those before it that came before it", async () => {
    const client = redis.client();
    await client.hset(`${BASE}j-one`, "name", "call");
    await client.del(`${BASE}prioritized`);
    await client.lpush(`${BASE}wait`, "j-first", "j-one", "j-later");
    await using behind = await meanwhile(redis, /lrange/, async (other) => {
      await other.lpush(`${BASE}wait`, "j-last-1", "j-last-2");
    });
    expect((await locateJob(behind.client, QUEUE, "one"))?.place).toMatchObject({ interactive: 1, bulk: 0 });
    await client.del(`${BASE}wait`);
    await client.zadd(`${BASE}prioritized`, 1, "j-first", 2, "j-second", 3, "j-one", 4, "j-later", 5, "j-last");
    await using before = await meanwhile(redis, /zrange/, async (other) => {
      await other.zrem(`${BASE}prioritized`, "j-first");
    });
    expect((await locateJob(before.client, QUEUE, "one"))?.place).toMatchObject({ interactive: 0, bulk: 2 });
  });
});
