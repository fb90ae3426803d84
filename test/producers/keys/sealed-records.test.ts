import { afterAll, beforeAll, expect, it } from "vitest";
import { SealedRecords } from "../../../producers/keys/sealed-records.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, QUEUE, setup, T0 } from "../../src/records/journal-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

it("finds what is sealed of a record that was packed, and of which operation it is", async () => {
  const { id, client, created, begin, finish } = await setup(redis);
  const sent = { result: { otp_sent: true }, retention: { lookAt: T0 + 600_000, keepsInput: true } };
  await finish(T0 + 30, ending(await begin(T0), sent));
  expect(await new SealedRecords(client).get(QUEUE, id)).toMatchObject({
    ...{ id, operation: created.operation, state: "succeeded" },
    texts: [{ field: "input", text: created.input }],
  });
});
