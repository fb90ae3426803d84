import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { RecordStore } from "../../src/records/record-store.ts";
import { startTestRedis } from "../support/redis.ts";
import { type Ran, RunningCommand } from "../support/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { versionOf } from "../support/version-before.ts";
import { bundleEnv } from "../support/worker.ts";

/** The last commit whose workers know no tickets. */
const BEFORE = "3f048e83c4fe57bfe5e7968f85ed3f04adccb798";
const ROWS = 60;

it("jobs of this version and of the one before are taken by workers of both, and nobody is called twice", async (context) => {
  await using place = await makeTempDir();
  const old = versionOf(BEFORE, place.path);
  if (old === null) return context.skip("the history of this checkout does not reach the version before");
  await using redis = await startTestRedis();
  await using simulator = await startSimulator();
  const env = { ...bundleEnv(simulator, redis.url), EKO_QUOTA: "60/1s" };
  const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
  const records = new RecordStore(redis.client(), settings.retention);
  const file = (name: string, from: number): string => {
    const path = join(place.path, name);
    const rows = Array.from({ length: ROWS }, (_, index) => `${madeUpMobile(from + index)},agent-1`);
    writeFileSync(path, ["mobile,csp_id", ...rows, ""].join("\n"));
    return path;
  };
  const submit = async (path: string, program?: readonly [string, string]): Promise<Ran> => {
    const args = ["submit", "eko.mobile-otp", "--each", path, "--lane", "bulk", "--json"];
    await using running = new RunningCommand(args, {
      cwd: place.path,
      env,
      ...(program === undefined ? {} : { program }),
    });
    return await running.ended;
  };
  await using oldWorker = new RunningCommand(["worker"], { cwd: place.path, env, program: old });
  await oldWorker.said("worker ready");
  await using newWorker = new RunningCommand(["worker"], { cwd: place.path, env });
  await newWorker.said("worker ready");
  const [ofNew, ofOld] = await Promise.all([submit(file("new.csv", 0)), submit(file("old.csv", 1_000), old)]);
  expect([ofNew.code, ofOld.code], ofNew.stderr + ofOld.stderr).toEqual([0, 0]);
  const ids = [ofNew, ofOld].flatMap(({ stdout }) => (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id));
  // What the worker of the version before dropped with its ticket is found by the other's reaper.
  oldWorker.kill("SIGTERM");
  await oldWorker.ended;
  const states = async (): Promise<(string | undefined)[]> =>
    (await records.getMany("{eko-0}", ids)).map((record) => record?.state);
  await expect.poll(states, { timeout: 90_000, interval: 500 }).toEqual(ids.map(() => "succeeded"));
  expect(simulator.requests).toHaveLength(2 * ROWS);
  expect(new Set(simulator.requests.map(({ person }) => person)).size).toBe(2 * ROWS);
});
