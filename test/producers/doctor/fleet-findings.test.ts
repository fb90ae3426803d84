import { expect, it } from "vitest";
import { fleetFindings } from "../../../producers/doctor/fleet-findings.ts";
import { RedisAccess } from "../../../src/redis/access.ts";
import { RedisPair } from "../../../src/redis/pair.ts";
import { Lease, WORKERS_LEASE_KEY } from "../../../src/redis/lease.ts";
import { startClientBundle } from "../../support/client.ts";
import { readTestEnv } from "../../support/env.ts";

it("satyapan doctor asks for no worker's duty where Redis takes no writes, which no restart would mend", async () => {
  await using bundle = await startClientBundle();
  const { settings } = bundle;
  const redis = bundle.redis.client();
  await using lease = await Lease.open({ redis, key: WORKERS_LEASE_KEY, random: Math.random, onError: () => {} });
  expect(lease.held).toBe(true);
  const { machine } = readTestEnv();
  await using pair = await RedisPair.open(
    settings,
    async (of) => await RedisAccess.open({ settings: of, stateDir: "", machine, onError: () => {} }),
  );
  const checks = async (takesWrites: boolean): Promise<string[]> => {
    const found = await fleetFindings({ pair, redis, settings, now: Date.now, workers: 2, takesWrites });
    return found.map(({ check }) => check);
  };
  expect(await checks(true)).toContain("duty");
  expect(await checks(false)).not.toContain("duty");
});
