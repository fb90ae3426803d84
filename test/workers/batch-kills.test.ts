import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { Client } from "../../producers/client.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { RunningCommand } from "../support/command.ts";
import { readTestEnv } from "../support/env.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

const KILLS = 5;
/** Every so many kills Redis goes too. */
const REDIS_EVERY = 3;
/** Between two looks at what phones received, in ms. */
const LOOK_MS = 50;

interface Kind {
  readonly what: string;
  readonly rows: number;
  readonly quota: string;
  /** Sends between two kills. */
  readonly sends: number;
  readonly runs: { readonly operation: string } | { readonly flow: string };
  readonly make: (batches: BatchBundle) => readonly BatchRow[];
  /** To whom the code of a row goes that is to be answered; null: nobody is awaited. */
  readonly asked: ((row: number) => string) | null;
  /** In the result of each row that succeeded. */
  readonly proof: "otp_sent" | "verified";
  /** A call whose worker died may have happened, and is never repeated: some rows are unknown. */
  readonly leastSucceeded: number;
}

const KINDS: readonly Kind[] = [
  {
    ...{ what: "an operation", rows: 200, quota: "60/1s", sends: 5, runs: { operation: "eko.mobile-otp" } },
    make: (batches) => batches.rows(200, (row) => madeUpMobile(row, "000")),
    ...{ asked: null, proof: "otp_sent", leastSucceeded: 1 },
  },
  {
    ...{ what: "a flow, while people answer", rows: 60, quota: "40/1s", sends: 3, runs: { flow: "eko.dmt-levin" } },
    make: (batches) =>
      batches.flowRows("eko.dmt-levin", 60, (row) => ({
        ...{ customer_id: madeUpMobile(row, row % 3 === 0 ? "308" : "000"), aadhaar: madeUpAadhaar(row) },
        ...{ name: "Asha Example", dob: "1990-01-31", residence_address: "1 Road" },
      })),
    ...{ asked: madeUpAadhaar, proof: "verified", leastSucceeded: 31 },
  },
];

describe.each(KINDS)("a batch of $what, whose workers and Redis are killed again and again", (kind) => {
  it("loses no row, asks nobody twice, and counts each as it ended", async () => {
    const { rows: count, asked } = kind;
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startTestRedis());
    // What a call that was answered came to is in the AOF, whenever Redis dies.
    await redis.client().config("SET", "appendfsync", "always");
    const simulator = stack.use(await startSimulator({ configuration: { latencyMs: { min: 5, max: 40 } } }));
    const env = { ...bundleEnv(simulator, redis.url), EKO_QUOTA: kind.quota };
    const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
    const place = stack.use(await makeTempDir());
    const { machine } = readTestEnv();
    const openRedis = async (): Promise<RedisAccess> =>
      await RedisAccess.open({ settings, stateDir: place.path, machine, onError: () => {} });
    const client = stack.use(
      new Client({ tmpDir: tmpdir(), settings, openRedis, actor: "library:test", now: Date.now }),
    );
    const batches = new BatchBundle(redis, settings);
    const { id } = await batches.submit(kind.make(batches), { ...kind.runs, stopAt: null });
    const start = (): RunningCommand => stack.use(new RunningCommand(["worker"], { cwd: place.path, env }));
    let worker = start();
    await worker.said("worker ready");
    const over = new AbortController();
    const people = answerAll();
    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Long enough that some rows get on, whatever the machine does: the state in which it dies is a matter of chance.
      const least = simulator.stats().otps_sent + kind.sends;
      await expect.poll(() => simulator.stats().otps_sent, { timeout: 30_000, interval: 7 }).toBeGreaterThan(least);
      worker.kill("SIGKILL");
      if (kill % REDIS_EVERY === 0) {
        await redis.kill9();
        await redis.restart();
      }
      worker = start();
    }
    const isOver = async (): Promise<boolean> => hasEnded((await batches.show(id)).state);
    await expect.poll(isOver, { timeout: 120_000, interval: 100 }).toBe(true);
    over.abort();
    await people;
    const { counts } = await batches.show(id);
    await batches.recount(id);
    expect(counts.succeeded + counts.unknown).toBe(count);
    expect(counts.succeeded).toBeGreaterThanOrEqual(kind.leastSucceeded);
    const { sent_more_than_once, otps_sent } = simulator.stats();
    expect(sent_more_than_once).toEqual([]);
    expect(otps_sent).toBeGreaterThanOrEqual(counts.succeeded);
    expect(otps_sent).toBeLessThanOrEqual(count);
    const results = await batches.results(id);
    expect(results.filter((row) => row.state === "succeeded" && row.result?.[kind.proof] !== true)).toEqual([]);
    expect(results.map(({ row }) => row)).toEqual(Array.from({ length: count }, (_, index) => index + 1));

    /** Each gives the code that came, as soon as somebody takes it. */
    async function answerAll(): Promise<void> {
      if (asked === null) return;
      const rowOf = new Map(Array.from({ length: count }, (_, index) => [asked(index + 1), index + 1]));
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
