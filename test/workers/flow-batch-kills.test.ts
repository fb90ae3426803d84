import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { Client } from "../../producers/client.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { RunningCommand } from "../support/command.ts";
import { readTestEnv } from "../support/env.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

const ROWS = 60;
const KILLS = 5;
/** Every so many kills Redis goes too. */
const REDIS_EVERY = 3;
/** Between two looks at what phones received, in ms. */
const LOOK_MS = 50;

describe("a batch of a flow whose workers and Redis are killed again and again, while people answer", () => {
  it("loses no row, asks nobody twice, and counts each as it ended", { timeout: 180_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startTestRedis());
    // What a call that was answered came to is in the AOF, whenever Redis dies.
    await redis.client().config("SET", "appendfsync", "always");
    const simulator = stack.use(await startSimulator({ configuration: { latencyMs: { min: 5, max: 40 } } }));
    const env = { ...bundleEnv(simulator, redis.url), EKO_QUOTA: "40/1s" };
    const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
    const place = stack.use(await makeTempDir());
    const { machine } = readTestEnv();
    const openRedis = async (): Promise<RedisAccess> =>
      await RedisAccess.open({ settings, stateDir: place.path, machine, onError: () => {} });
    const client = stack.use(new Client({ settings, openRedis, actor: "library:test", now: Date.now }));
    const batches = new BatchBundle(redis, settings);
    const rows = batches.flowRows("eko.dmt-levin", ROWS, (row) => ({
      ...{ customer_id: madeUpMobile(row, row % 3 === 0 ? "308" : "000"), aadhaar: madeUpAadhaar(row) },
      ...{ name: "Asha Example", dob: "1990-01-31", residence_address: "1 Road" },
    }));
    const { id } = await batches.submit(rows, { flow: "eko.dmt-levin", stopAt: null });
    const rowOf = new Map(rows.map(({ row }) => [madeUpAadhaar(row), row]));
    const start = (): RunningCommand => stack.use(new RunningCommand(["worker"], { cwd: place.path, env }));
    let worker = start();
    await worker.said("worker ready");
    const over = new AbortController();
    const people = answerAll();
    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Long enough that some rows get on, whatever the machine does: the state in which it dies is a matter of chance.
      const sent = simulator.stats().otps_sent;
      await expect.poll(() => simulator.stats().otps_sent, { timeout: 30_000, interval: 7 }).toBeGreaterThan(sent + 3);
      worker.kill("SIGKILL");
      if (kill % REDIS_EVERY === 0) {
        await redis.kill9();
        await redis.restart();
      }
      worker = start();
    }
    const state = async (): Promise<boolean> => hasEnded((await batches.show(id)).state);
    await expect.poll(state, { timeout: 120_000, interval: 100 }).toBe(true);
    over.abort();
    await people;
    const { counts } = await batches.show(id);
    await batches.recount(id);
    // A call whose worker died may have happened, and is never repeated.
    expect(counts.succeeded + counts.unknown).toBe(ROWS);
    expect(counts.succeeded).toBeGreaterThan(ROWS / 2);
    expect(simulator.stats().sent_more_than_once).toEqual([]);
    expect(simulator.stats().otps_sent).toBeGreaterThanOrEqual(counts.succeeded);
    const results = await batches.results(id);
    expect(results.filter((row) => row.state === "succeeded" && row.result?.["verified"] !== true)).toEqual([]);
    expect(results.map(({ row }) => row)).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));

    /** Each gives the code that came, as soon as somebody takes it. */
    async function answerAll(): Promise<void> {
      const answered = new Set<number>();
      while (!over.signal.aborted) {
        for (const { to, otp, seq } of simulator.outbox) {
          const row = rowOf.get(to);
          if (row === undefined || answered.has(seq)) continue;
          await client.answer(`${id}-${row}`, otp).then(
            () => answered.add(seq),
            // Redis is away, or nothing awaits it yet.
            () => {},
          );
        }
        await sleep(LOOK_MS, undefined, { signal: over.signal }).catch(() => {});
      }
    }
  });
});
