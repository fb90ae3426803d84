import { tmpdir } from "node:os";
import { Writable } from "node:stream";
import { expect, it } from "vitest";
import type { MendedRow } from "../../producers/batches/batch-repair.ts";
import { Client } from "../../producers/client.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { findFlow } from "../../src/flows/flows.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { RedisPair } from "../../src/redis/pair.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { runWorker } from "../../workers/run-worker.ts";
import { readTestEnv } from "../support/env.ts";
import { startTestCluster } from "../support/redis-cluster.ts";
import { bundleEnv } from "../support/worker.ts";

const FLOW = "eko.mobile";
/** Rejected at first, and the person of an onboarding. */
const [REJECTED, ONBOARDED, COUNT] = [3, 5, 8];

/** What writes and reads a batch, whatever it does, stays within a slot at a time. */
it("a batch of a flow with a window, a seat, a repair and a person onboarded singly, in a Cluster as anywhere", async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startTestCluster());
  const simulator = stack.use(await startSimulator());
  const env = { ...bundleEnv(simulator, cluster.url), OTP_COOLDOWN: "100ms" };
  const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
  const { machine } = readTestEnv();
  const openRedis = async (of: Settings): Promise<RedisAccess> =>
    await RedisAccess.open({ settings: of, stateDir: "/nowhere", machine, onError: () => {} });
  const client = stack.use(new Client({ tmpDir: tmpdir(), settings, openRedis, actor: "library:test", now: Date.now }));
  const log: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const redis = await RedisPair.open(settings, openRedis);
  stack.defer(async () => await redis.close());
  const logger = createLogger("info", sink);
  const worker = await runWorker({ settings, redis, logger, now: Date.now, random: Math.random });
  stack.defer(async () => void (await worker.stop()));

  const flow = findFlow(FLOW);
  const mobileOf = (row: number): string => madeUpMobile(row, row === REJECTED ? "998" : "000");
  const rowOf = (row: number, mobile = mobileOf(row)): Omit<MendedRow, "repaired"> => {
    const raw = { mobile, csp_id: "9000000001" };
    const input = parseInput(flow, raw, { now: Date.now(), aadhaarChecksum: false });
    const subject = subjectOf(settings.subjectKey, flow, input);
    return { row, ref: `ref-${row}`, subject, input, columns: { mobile: String(input["mobile"]) } };
  };
  await client.onboard(FLOW, { mobile: mobileOf(ONBOARDED), csp_id: "9000000001" }, { id: "asha" });
  const rows = Array.from({ length: COUNT }, (_, index) => ({ ...rowOf(index + 1), state: "waiting" as const }));
  const holders = await client.batches.holders(
    { flow: FLOW },
    rows.flatMap(({ subject }) => subject ?? []),
  );
  expect(holders.map((holder, index) => holder && `${index + 1}: ${holder}`).filter(Boolean)).toEqual([
    `${ONBOARDED}: the same person as onboarding asha`,
  ]);
  const { id } = await client.batches.submitChecked(rows, {
    flow: FLOW,
    open: 2,
    resends: 1,
    stopAt: null,
    name: "Tuesday",
  });

  let most = 0;
  const sit = async (operator: string): Promise<void> => {
    for await (const sender of client.batches.seat("Tuesday", { operator })) {
      most = Math.max(most, (await client.batches.show(id)).open_challenges);
      if (sender.row === 1) await sender.refused();
      else {
        const { otp } = await simulator.waitForOtp(madeUpMobile(sender.row, "000"));
        expect(await sender.answer(otp)).toEqual({ kind: "right" });
      }
    }
  };
  await Promise.all([sit("ravi"), sit("meera")]);
  expect(most).toBe(2);
  const view = await client.batches.show(id);
  expect(view).toMatchObject({
    state: "finished_with_errors",
    counts: { ...noRows(), succeeded: COUNT - 3, rejected: 2, duplicate: 1 },
  });
  const results = await Array.fromAsync(client.batches.results(id, { only: ["rejected", "duplicate"] }));
  expect(results.map(({ row, code }) => [row, code])).toEqual([
    [1, "refused"],
    [REJECTED, "1/463"],
    [ONBOARDED, null],
  ]);

  const kept = await (await client.batches.kept(id)).read([REJECTED, COUNT + 1]);
  expect(kept.get(REJECTED)).toMatchObject({ state: "rejected", repaired: 0 });
  expect(await kept.get(REJECTED)?.input()).toBeNull();
  await client.batches.repairChecked(id, [{ ...rowOf(REJECTED, madeUpMobile(REJECTED, "000")), repaired: 0 }]);
  await sit("ravi");
  expect((await client.batches.show(id)).counts).toEqual({
    ...{ ...noRows(), succeeded: COUNT - 2, rejected: 1, duplicate: 1 },
  });
  expect(log.filter((line) => /"level":"(?:error|fatal)"|CROSSSLOT/.test(line))).toEqual([]);
});
