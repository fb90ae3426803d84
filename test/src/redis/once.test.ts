import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BatchStore } from "../../../src/batches/batch-store.ts";
import { SeatStore } from "../../../src/batches/seat-store.ts";
import { onboardingKey, OnboardingStore } from "../../../src/flows/onboarding-store.ts";
import { BRING_BACK } from "../../../src/limits/gate/memory.ts";
import { AuditLog, HEAD_KEY } from "../../../src/privacy/audit/log.ts";
import type { AuditEntry } from "../../../src/privacy/audit/entry.ts";
import { appendAudit, outboxKey } from "../../../src/privacy/audit/outbox.ts";
import { DataKeyStore } from "../../../src/privacy/keys/data-key-store.ts";
import { controlKey, GateControl } from "../../../src/limits/control.ts";
import { newDataKey } from "../../../src/privacy/sealing/data-key.ts";
import { queuePrefix } from "../../../src/queues/names.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { StateIndex } from "../../../src/records/state-index.ts";
import { ending, QUEUE, RETENTION, setup, T0 } from "../records/journal-bundle.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { sentTwice } from "../../support/sent-twice.ts";

const BATCH = { queue: QUEUE, id: "b000000000" };
const KEY = `${queuePrefix(QUEUE)}batch:${BATCH.id}`;
const AT = new Date(T0).toISOString();
const ENTRY: AuditEntry = { at: AT, kind: "batch", actor: "library:test", batch: BATCH.id, event: "pause", jobs: null };

let redis: TestRedis;
beforeAll(async () => (redis = await startTestRedis()));
afterAll(async () => await redis.stop());
beforeEach(async () => await redis.client().flushall());

const entries = async (): Promise<number> => await redis.client().xlen(outboxKey(QUEUE));

describe("a step that is sent again, because its answer was cut off", () => {
  it("counts an operator's decision once, and does not say that the sender was lost", async () => {
    const seats = new SeatStore(redis.client());
    await redis.client().zadd(`${KEY}:awaited`, 1, 7);
    expect(await seats.next(BATCH, "t1", T0)).toBe(7);
    const wrong = { decision: "code_wrong", verify: "v1" } as const;
    const keeps = async (client: RedisClient) => await new SeatStore(client).keep(BATCH, 7, "t1", T0, wrong);
    expect(await sentTwice(redis, /code_wrong/, keeps)).toBe(true);
    // The operator's program says the same again after an outage.
    expect(await keeps(redis.client())).toBe(true);
    const later = { decision: "later", verify: null } as const;
    const givesBack = async (client: RedisClient) =>
      await new SeatStore(client).giveBack(BATCH, 7, "t1", T0 + 60_000, later);
    expect(await sentTwice(redis, /later/, givesBack)).toBe(true);
    expect(await redis.client().hgetall(`${queuePrefix(QUEUE)}batch:decisions`)).toEqual({
      code_wrong: "1",
      later: "1",
    });
  });

  it("hands an operator one sender, and leaves the next to others", async () => {
    await redis.client().zadd(`${KEY}:awaited`, 1, 7, 2, 8);
    const next = async (token: string, client = redis.client() as RedisClient) =>
      await new SeatStore(client).next(BATCH, token, T0);
    expect(await sentTwice(redis, /token-1/, async (client) => await next("token-1", client))).toBe(7);
    expect(await next("token-2")).toBe(8);
  });

  it("pauses a batch, and changes a term, with one audit entry each", async () => {
    await redis.client().hset(KEY, { state: "running" });
    const states = { from: "running", to: "paused", reason: "the bank asked for it" } as const;
    const pause = sentTwice(redis, /the bank/, async (client) => {
      return await new BatchStore(client, RETENTION).change(BATCH, states, T0, { entry: ENTRY });
    });
    expect(await pause).toBe("done");
    const weigh = sentTwice(redis, /weight/, async (client) => {
      return await new BatchStore(client, RETENTION).setTerm(BATCH, { field: "weight", value: "3" }, T0, ENTRY);
    });
    expect(await weigh).toBe("paused");
    expect(await entries()).toBe(2);
  });

  it("drops a failed job, and counts it, with one audit entry", async () => {
    const { id, store, begin, finish } = await setup(redis);
    await finish(T0 + 30, ending(await begin(T0), { state: "failed" }));
    const record = await store.get(QUEUE, id);
    if (record === null) throw new Error("it was not recorded");
    const before = await entries();
    const entry: AuditEntry = {
      at: AT,
      kind: "drop",
      actor: "me",
      job: id,
      operation: "eko.mobile-otp",
      subject: null,
    };
    const drop = sentTwice(redis, /:failed\r/, async (client) => {
      return await new StateIndex(client, "failed").drop(QUEUE, record, entry);
    });
    expect(await drop).toBe(true);
    expect(await entries()).toBe(before + 1);
  });

  it("says how many data keys it destroyed", async () => {
    const store = new DataKeyStore(redis.client());
    const { dataKey } = newDataKey("batch:b1");
    const offered = {
      id: dataKey.id,
      wrapped: "w1.k1.x",
      by: "k1",
      scope: "batch:b1",
      created: T0,
      since: T0,
    } as const;
    await store.take("batch:b1", offered);
    const destroy = async () =>
      await sentTwice(
        redis,
        /satyapan:data-keys/,
        async (client) => await new DataKeyStore(client).destroy([dataKey.id]),
      );
    expect([await destroy(), await destroy()]).toEqual([1, 0]);
  });

  it("wants an onboarding to end, with one audit entry", async () => {
    await redis.client().hset(onboardingKey(QUEUE, "on-1"), { state: "running", step: "send", job: "on-1.1" });
    const cancel = sentTwice(redis, /not wanted/, async (client) => {
      return await new OnboardingStore(client, RETENTION).cancel(QUEUE, "on-1", "not wanted", ENTRY);
    });
    expect([await cancel, await entries()]).toEqual(["done", 1]);
  });

  it("lifts what stopped the calls", async () => {
    await redis.client().hset(controlKey(QUEUE), { hold: "401", hold_since: String(T0) });
    const resume = sentTwice(redis, /:limiter\r/, async (client) => await new GateControl(client).resume(QUEUE, null));
    expect(await resume).toBe(true);
  });

  it("brings back what Redis forgot, and says that it was this worker", async () => {
    const keys = [controlKey(QUEUE), `${queuePrefix(QUEUE)}permits`, `bull:${QUEUE}:meta`];
    const args = {
      ...{ prefix: queuePrefix(QUEUE), how: "lost", fresh_epoch: "epoch-1", run: "", configured: "10:1000" },
      ...{ by_hand: "", known: "", pace_max: "1", pace_ms: "100" },
    };
    expect(await sentTwice(redis, /epoch-1/, async (client) => await BRING_BACK.run(client, keys, args))).toEqual([
      ...["epoch-1", 1],
    ]);
  });

  it("writes what only the audit log knows there once, and chains that with another key", async () => {
    await sentTwice(redis, /library:test/, async (client) => await appendAudit(client, QUEUE, [ENTRY, ENTRY]));
    expect(await entries()).toBe(2);
    await redis.client().hset(HEAD_KEY, { key: "old-key" });
    expect(
      await sentTwice(redis, /new-key/, async (client) => await new AuditLog(client).rekey("old-key", "new-key")),
    ).toBe(true);
  });
});
