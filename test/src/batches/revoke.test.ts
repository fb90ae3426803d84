import { afterAll, beforeAll, expect, it } from "vitest";
import { BatchStore } from "../../../src/batches/batch-store.ts";
import { batchKey } from "../../../src/batches/keys.ts";
import { RowStore } from "../../../src/batches/row-store.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, QUEUE, RETENTION, setup, T0, waiting } from "../records/journal-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

it.each([
  ["is not called off where an earlier send may have happened, whatever it waits for by now", 1, false],
  ["is called off where nothing was sent", 0, true],
])("a row of a cancelled batch that waits %s", async (_what, resends, isRevoked) => {
  const batch = { queue: QUEUE, id: `b00000000${resends}` };
  const { client, key, begin, finish, get } = await setup(redis, { id: `${batch.id}-1` });
  await client.hset(batchKey(QUEUE, batch.id), "state", "cancelled");
  await client.set(`${batchKey(QUEUE, batch.id)}:states`, "q");
  const epoch = await new BatchStore(client, RETENTION).nextEpoch(QUEUE);
  await finish(T0 + 30, ending(await begin(T0), { ...waiting(T0 + 60_000, "backoff", "again"), resends }));
  // The gate wrote what it waits for after its time had come.
  await client.hset(key, "cause", "quota");
  const rows = new RowStore(client, RETENTION);
  expect(await rows.revoke(batch, epoch, T0 + 70_000, [{ at: 1, run: 0 }], "its batch was cancelled")).toEqual([
    isRevoked,
  ]);
  expect(await get()).toMatchObject({ state: isRevoked ? "cancelled" : "waiting" });
});
