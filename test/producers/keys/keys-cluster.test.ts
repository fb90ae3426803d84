import { expect, it } from "vitest";
import { connectKeys } from "../../../producers/keys/connect-keys.ts";
import { KeyRotation } from "../../../producers/keys/key-rotation.ts";
import { Shredding } from "../../../producers/keys/shredding.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { newRingKey } from "../../src/privacy/keys/keys-bundle.ts";
import { connected } from "../../support/connected.ts";
import { startTestCluster } from "../../support/redis-cluster.ts";
import { addJob, mobileOf, NAME, NOON, readJob, ringOf } from "./keys-bundle.ts";

it("keys are replaced and shredded in a Cluster as anywhere", async () => {
  await using cluster = await startTestCluster();
  await using open = new AsyncDisposableStack();
  const redis = connectRedis(parseRedisUrl(cluster.url), "client", () => {});
  open.defer(async () => await closeRedis(redis));
  await connected(redis);
  const [old, fresh] = [newRingKey("old"), newRingKey("new")];
  const sleep = async (): Promise<void> => {};
  const depsOf = (...keys: readonly string[]) => ({
    ...connectKeys(redis, redis, { keys: ringOf(...keys), keyService: null }, () => NOON, "command:test"),
    sleep,
  });
  await addJob(depsOf(old), "j-1");
  await addJob(depsOf(old), "j-2", "batch:b-1");
  const deps = depsOf(fresh, old);
  const rotation = new KeyRotation(async (work) => await work(deps));
  expect(await rotation.rewrap()).toEqual({ rewrapped: 2, missing: {} });
  expect(await rotation.renew()).toMatchObject({ replaced: 2, resealed: 4, done: true });
  await rotation.retire("old");
  expect((await rotation.status()).data_keys.filter(({ jobs }) => jobs === 1)).toHaveLength(2);
  const shredding = new Shredding(async (work) => await work(deps));
  expect(await shredding.shred({ kind: "batch", name: "b-1" })).toMatchObject({
    destroyed: 2,
    disk: { aof: "rewritten", snapshot: "off" },
  });
  await expect(readJob(depsOf(fresh), "j-2")).rejects.toMatchObject({ code: ErrorCode.SHREDDED });
  expect(await readJob(depsOf(fresh), "j-1")).toEqual([mobileOf("j-1"), NAME]);
});
