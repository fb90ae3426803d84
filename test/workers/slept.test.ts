import { Writable } from "node:stream";
import { tmpdir } from "node:os";
import { expect, it, vi } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { Journal } from "../../src/records/journal.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { RedisPair } from "../../src/redis/pair.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { runWorker } from "../../workers/run-worker.ts";
import { readTestEnv } from "../support/env.ts";
import { startWorkerBundle } from "../support/worker.ts";

it("writes nothing with a permit that it got before the machine slept: it asks for another, and calls once", async () => {
  await using bundle = await startWorkerBundle();
  const { settings, simulator, client } = bundle;
  const { machine } = readTestEnv();
  const openRedis = async (): Promise<RedisAccess> =>
    await RedisAccess.open({ settings, stateDir: tmpdir(), machine, onError: () => {} });
  await using stack = new AsyncDisposableStack();
  const permit = vi.spyOn(Journal.prototype, "permit");
  stack.defer(() => permit.mockRestore());
  const redis = stack.adopt(await RedisPair.open(settings, openRedis), async (pair) => await pair.close());
  // The time of day goes on while it sleeps, and the monotonic clock does not.
  let sleptMs = 0;
  const running = await runWorker({
    ...{ settings, redis, random: Math.random, now: () => Date.now() + sleptMs },
    logger: createLogger("fatal", new Writable({ write: (_chunk, _encoding, done) => done() })),
    atPoint: (point) => {
      if (point === "signed" && sleptMs === 0) sleptMs = 20_000;
    },
  });
  stack.defer(async () => void (await running.stop()));
  const { id } = await client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
  expect(await client.waitFor(id)).toMatchObject({ state: "succeeded", attempts: [{ n: 1 }] });
  expect(permit).toHaveBeenCalledTimes(1);
  expect(simulator.requests).toHaveLength(1);
});
