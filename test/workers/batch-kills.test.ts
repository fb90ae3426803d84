import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { RunningCommand } from "../support/command.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

const ROWS = 200;
const KILLS = 5;
/** Every so many kills Redis goes too. */
const REDIS_EVERY = 3;

describe("a batch whose workers and Redis are killed again and again", () => {
  it("loses no row, calls none twice, and counts each as it ended", { timeout: 180_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startTestRedis());
    // What a call that was answered came to is in the AOF, whenever Redis dies.
    await redis.client().config("SET", "appendfsync", "always");
    const simulator = stack.use(await startSimulator({ configuration: { latencyMs: { min: 5, max: 40 } } }));
    const env = { ...bundleEnv(simulator, redis.url), EKO_QUOTA: "60/1s" };
    const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
    const place = stack.use(await makeTempDir());
    const batches = new BatchBundle(redis, settings);
    const { id } = await batches.submit(
      batches.rows(ROWS, (row) => madeUpMobile(row, "000")),
      { stopAt: null },
    );
    const start = (): RunningCommand => stack.use(new RunningCommand(["worker"], { cwd: place.path, env }));
    let worker = start();
    await worker.said("worker ready");
    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Long enough that some rows get on, whatever the machine does: the state in which it dies is a matter of chance.
      const sent = simulator.stats().otps_sent;
      await expect.poll(() => simulator.stats().otps_sent, { timeout: 30_000, interval: 7 }).toBeGreaterThan(sent + 5);
      worker.kill("SIGKILL");
      if (kill % REDIS_EVERY === 0) {
        await redis.kill9();
        await redis.restart();
      }
      worker = start();
    }
    const state = async (): Promise<boolean> => hasEnded((await batches.show(id)).state);
    await expect.poll(state, { timeout: 120_000, interval: 100 }).toBe(true);
    const { counts } = await batches.show(id);
    await batches.recount(id);
    // A call whose worker died may have happened, and is never repeated.
    expect(counts.succeeded + counts.unknown).toBe(ROWS);
    const stats = simulator.stats();
    expect(stats.sent_more_than_once).toEqual([]);
    expect(stats.otps_sent).toBeGreaterThanOrEqual(counts.succeeded);
    expect(stats.otps_sent).toBeLessThanOrEqual(ROWS);
    const results = await batches.results(id);
    expect(results.filter((row) => row.state === "succeeded" && row.result?.["otp_sent"] !== true)).toEqual([]);
    expect(results.map(({ row }) => row)).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
  });
});
