import { expect, it, vi } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { archiveKey, dueKey, recordKey } from "../../src/queues/names.ts";
import { startWorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";

it("a job that was archived is told, explained, found and given back as any other, and takes no code", async () => {
  await using bundle = await startWorkerBundle({ env: { RECORD_ARCHIVE: "on" } });
  const { client } = bundle;
  const redis = bundle.redis.client();
  await bundle.startWorker();
  const mobile = madeUpMobile(1);
  const { id } = await client.submit("eko.mobile-otp", { mobile, csp_id: "agent-1" });
  const own = await client.submit("eko.mobile-otp", { mobile: madeUpMobile(2), csp_id: "agent-1" }, { id: "order-1" });
  const before = await client.waitFor(id);
  await client.waitFor(own.id);
  expect(before.state).toBe("succeeded");
  // Their OTPs can be answered no more.
  await redis.zunionstore(dueKey(QUEUE), 1, dueKey(QUEUE), "WEIGHTS", 0);
  await vi.waitFor(async () => expect(await redis.zcard(dueKey(QUEUE))).toBe(0), 10_000);
  expect(await redis.exists(recordKey(QUEUE, id))).toBe(0);
  expect(await redis.exists(recordKey(QUEUE, own.id))).toBe(1);
  expect(await redis.hkeys(archiveKey(QUEUE, id.slice(0, 5)))).toEqual([id]);

  expect(await client.get(id)).toEqual(before);
  expect(await client.waitFor(id)).toEqual(before);
  expect(await client.explain(id)).toMatchObject({ id, state: "succeeded", cause: null, ahead: null });
  expect((await client.find(mobile)).map((found) => found.id)).toEqual([id]);
  expect((await client.find(madeUpMobile(2))).map((found) => found.id)).toEqual([own.id]);
  await expect(client.answer(id, "123456")).rejects.toThrow(/can be answered no more|over|late/);
  await expect(client.settle(id, "rejected", { reason: "a test" })).rejects.toThrow(/succeeded/);
  expect(await client.get(id)).toEqual(before);
});
