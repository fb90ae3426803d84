import { expect, it } from "vitest";
import { Client } from "../../../producers/client.ts";
import { RedisAccess } from "../../../src/redis/access.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { MOBILE_INPUT } from "../../support/client.ts";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { readTestEnv } from "../../support/env.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const CREATE = /eko\.mobile-otp interactive /;

it("a submission that is sent again, because its answer was cut off, is no duplicate of itself", async () => {
  await using bundle = await startWorkerBundle();
  await using proxy = await cuttingProxy(bundle.redis, { from: CREATE, to: CREATE });
  const settings = { ...bundle.settings, redisUrl: new Secret(proxy.url, "hidden") };
  const { machine } = readTestEnv();
  await using client = new Client({
    settings,
    openRedis: async (of) => await RedisAccess.open({ settings: of, stateDir: "", machine, onError: () => {} }),
    ...{ actor: "library:test", now: Date.now, tmpDir: machine.tmpDir },
  });
  // From the first on Redis knows the script.
  await client.submit("eko.mobile-otp", { ...MOBILE_INPUT, mobile: "9123456781" });
  proxy.arm();
  const [record] = await Promise.all([client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "own-1" }), proxy.cut]);
  expect(record).toMatchObject({ id: "own-1", state: "queued" });
  expect(record).not.toHaveProperty("duplicate");
  expect(await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "own-1" })).toMatchObject({ duplicate: true });
});
