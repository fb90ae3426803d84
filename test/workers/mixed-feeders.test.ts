import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { Client } from "../../producers/client.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { RunningCommand } from "../support/command.ts";
import { readTestEnv } from "../support/env.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { versionOf } from "../support/version-before.ts";
import { bundleEnv } from "../support/worker.ts";

/** The last commit whose feeder knew only rows that are one job each. */
const BEFORE_FLOWS = "d0aa3068f60a628d45fd091d9619a5e539bfa290";
/** The last whose feeder looked for batches of flows where those of operations are. */
const BEFORE_APART = "291bc584f56cccafea1156a687fb3ceb52e45129";
const ROWS = 30;
/** Codes that are open at once: the other rows wait. */
const OPEN = 12;

it.for([
  { commit: BEFORE_FLOWS, since: "before flows were rows" },
  { commit: BEFORE_APART, since: "that looked elsewhere for those of flows" },
])(
  "a batch of a flow waits while a worker $since feeds, which goes on with others, and no row of it is lost",
  { timeout: 120_000 },
  async ({ commit }, context) => {
    await using stack = new AsyncDisposableStack();
    const place = stack.use(await makeTempDir());
    const old = versionOf(commit, place.path);
    if (old === null) return context.skip("the history of this checkout does not reach the version before");
    const redis = stack.use(await startTestRedis());
    const simulator = stack.use(await startSimulator());
    const env = { ...bundleEnv(simulator, redis.url), EKO_QUOTA: "20/1s" };
    const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
    const { machine } = readTestEnv();
    const openRedis = async (): Promise<RedisAccess> =>
      await RedisAccess.open({ settings, stateDir: place.path, machine, onError: () => {} });
    const client = stack.use(
      new Client({ tmpDir: tmpdir(), settings, openRedis, actor: "library:test", now: Date.now }),
    );
    const batches = new BatchBundle(redis, settings);
    const mobileOf = (row: number): string => madeUpMobile(row, "000");
    const rows = batches.flowRows("eko.mobile", ROWS, (row) => ({ mobile: mobileOf(row), csp_id: "9000000001" }));
    const { id } = await batches.submit(rows, { flow: "eko.mobile", stopAt: null, open: OPEN });
    const start = async (program?: readonly [string, string]): Promise<RunningCommand> => {
      const options = { cwd: place.path, env, ...(program !== undefined && { program }) };
      const worker = stack.use(new RunningCommand(["worker"], options));
      await worker.said("worker ready");
      return worker;
    };
    const answer = async (row: number): Promise<void> => {
      const { otp } = await simulator.waitForOtp(mobileOf(row), { timeoutMs: 30_000 });
      await client.answer(`${id}-${row}`, otp);
    };
    const awaited = async (): Promise<number> => (await batches.show(id)).counts.awaiting_otp;

    const first = await start();
    await expect.poll(awaited).toBe(OPEN);
    const oldWorker = await start(old);
    first.kill("SIGTERM");
    await first.ended;
    const { counts } = await batches.show(id);
    expect(counts).toEqual({ ...noRows(), awaiting_otp: OPEN, waiting: ROWS - OPEN });
    await answer(1);
    // The one that it knows has been looked after to its end: so it has looked at all that it sees.
    const known = await batches.submit(batches.rows(3, (row) => madeUpMobile(200 + row, "000")));
    expect((await batches.ended(known.id)).counts.succeeded).toBe(3);
    expect(await batches.show(id)).toMatchObject({ state: "running", counts });
    await batches.recount(id);
    oldWorker.kill("SIGTERM");
    await oldWorker.ended;

    await start();
    for (let row = 2; row <= ROWS; row += 1) await answer(row);
    expect((await batches.ended(id)).counts).toEqual({ ...noRows(), succeeded: ROWS });
    await batches.recount(id);
    expect(simulator.stats().sent_more_than_once).toEqual([]);
  },
);
