import { expect, it } from "vitest";
import { Client } from "../../../producers/client.ts";
import { recordKey } from "../../../src/queues/names.ts";
import { RedisAccess } from "../../../src/redis/access.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { MOBILE_INPUT } from "../../support/client.ts";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { readTestEnv } from "../../support/env.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const CREATE = /eko\.mobile-otp interactive /;

/** A client whose connection is cut with its next submission, and what is submitted then. */
async function cutBundle() {
  const bundle = await startWorkerBundle();
  const proxy = await cuttingProxy(bundle.redis, { from: CREATE, to: CREATE });
  const settings = { ...bundle.settings, redisUrl: new Secret(proxy.url, "hidden") };
  const { machine } = readTestEnv();
  const client = new Client({
    settings,
    openRedis: async (of) => await RedisAccess.open({ settings: of, stateDir: "", machine, onError: () => {} }),
    ...{ actor: "library:test", now: Date.now, tmpDir: machine.tmpDir },
  });
  // From the first on Redis knows the script.
  await client.submit("eko.mobile-otp", { ...MOBILE_INPUT, mobile: "9123456781" });
  proxy.arm();
  return {
    ...{ bundle, client, cut: proxy.cut },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await proxy[Symbol.asyncDispose]();
      await bundle[Symbol.asyncDispose]();
    },
  };
}

it("a submission that is sent again, because its answer was cut off, is no duplicate of itself", async () => {
  await using cut = await cutBundle();
  const { client } = cut;
  const [record] = await Promise.all([client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "own-1" }), cut.cut]);
  expect(record).toMatchObject({ id: "own-1", state: "queued" });
  expect(record).not.toHaveProperty("duplicate");
  expect(await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "own-1" })).toMatchObject({ duplicate: true });
});

it("a submission whose job has ended before it is sent again is no duplicate of itself, either", async () => {
  await using cut = await cutBundle();
  const { client, bundle } = cut;
  const ends = async (): Promise<void> => {
    await cut.cut;
    const key = recordKey("{eko-0}", "own-1");
    await bundle.redis.client().multi().hset(key, "state", "rejected").hdel(key, "input").exec();
  };
  const [record] = await Promise.all([client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "own-1" }), ends()]);
  expect(record).not.toHaveProperty("duplicate");
  expect(await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "own-1" })).toMatchObject({ duplicate: true });
});
