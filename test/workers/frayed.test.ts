import { expect, it } from "vitest";
import { seededRandom } from "../../simulator/draw.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { readTestEnv } from "../support/env.ts";
import { frayedProxy } from "../support/frayed-proxy.ts";
import { startWorkerBundle } from "../support/worker.ts";

const LOCK = { lockMs: 2_000, checkMs: 500 };
const ROWS = 200;
const LEAST_CUTS = 40;
const { seed } = readTestEnv();

/** Each another person, whom the simulator lets succeed. */
const input = (n: number) => ({ mobile: madeUpMobile(n, "000"), csp_id: "agent-1" });

/** On a quiet machine all rows may have ended by then. */
async function unlessOver(command: Promise<unknown>): Promise<void> {
  await command.catch((error: unknown) => {
    if (!(error instanceof SatyapanError) || error.code !== ErrorCode.BAD_INPUT) throw error;
  });
}

it(`connections that are cut again and again lose no job and no row, leave none unknown, and call nobody twice (TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  await using bundle = await startWorkerBundle({
    env: { EKO_QUOTA: "60/1s" },
    simulator: { latencyMs: { min: 5, max: 60 } },
  });
  const { client, simulator } = bundle;
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  await using proxy = await frayedProxy(bundle.redis, random);
  const redisUrl = new Secret(proxy.url, "hidden");
  const workers = [
    await bundle.startWorker({ redisUrl }, Date.now, LOCK),
    await bundle.startWorker({ redisUrl }, Date.now, LOCK),
  ];
  const ids = [(await client.submit("eko.mobile-otp", input(1))).id];
  await client.waitFor(ids[0] ?? "");
  proxy.fray(true);
  const { id: batch } = await batches.submit(batches.rows(ROWS, (row) => madeUpMobile(100_000 + row, "000")));
  for (let n = 10; proxy.cuts < LEAST_CUTS; n += 10) {
    const { id } = await client.submit("eko.mobile-otp", input(n));
    const some = await client.submitMany(
      "eko.mobile-otp",
      [1, 2, 3].map((more) => input(n + more)),
      { lane: "bulk" },
    );
    ids.push(id, ...some.map((one) => one.id));
    // One is waited for, so that the workers have nothing to do now and then.
    await client.waitFor(id);
    if (n % 200 === 100) await unlessOver(client.batches.pause(batch, "for a moment"));
    if (n % 200 === 150) await unlessOver(client.batches.resume(batch));
  }
  proxy.fray(false);
  if ((await batches.show(batch)).state === "paused") await client.batches.resume(batch);
  const states = await Promise.all(ids.map(async (id) => (await client.waitFor(id)).state));
  expect(states).toEqual(ids.map(() => "succeeded"));
  expect((await batches.ended(batch)).counts).toEqual({ ...noRows(), succeeded: ROWS });
  await batches.recount(batch);
  const people = simulator.requests.map(({ person }) => person);
  expect([people.length, new Set(people).size]).toEqual([ids.length + ROWS, ids.length + ROWS]);
  for (const worker of workers) await worker.stop();
});
