import { expect, it } from "vitest";
import { batchKey } from "../../../src/batches/keys.ts";
import { rowReasons } from "../../../src/batches/row-reasons.ts";
import { startTestRedis } from "../../support/redis.ts";

it("reasons that are as frequent stand in the same order, however Redis lists them", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  const key = `${batchKey("{eko-0}", "b")}:why`;
  await client.hset(key, "n r 463", 1, "n f 500", 1, "n r 302", 2, "n r 17", 1);
  const reasons = await rowReasons(client, "{eko-0}", "b");
  expect(reasons.map(({ state, code }) => `${state} ${code}`)).toEqual([
    ...["rejected 302", "failed 500", "rejected 17", "rejected 463"],
  ]);
});
