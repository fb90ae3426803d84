import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startSimulator } from "../../simulator/simulator.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

const MAIN = fileURLToPath(new URL("../../demo/steady/main.ts", import.meta.url));
const MADE_UP = "Redis holds jobs of the demo's made-up people, whose numbers may be somebody's";

describe("the demo of compose", () => {
  it("runs a batch, and people who read out their codes, until it is stopped", async () => {
    await using stack = new AsyncDisposableStack();
    const place = stack.use(await makeTempDir());
    const redis = stack.use(await startTestRedis());
    const simulator = stack.use(await startSimulator());
    const options = { cwd: place.path, env: bundleEnv(simulator, redis.url) };
    stack.use(new RunningCommand(["worker"], options));
    const args = ["--simulator", simulator.url, "--folder", place.path, "--rows", "40", "--every-s", "1"];
    const demo = stack.use(new RunningCommand(args, { ...options, program: [process.execPath, MAIN] }));
    // When all its people were called; those who never answer keep it open.
    await demo.said(/batch "demo \d+-1" is (running|finished_with_errors): \d+ succeeded, \d+ are asked/);
    const verified = (id: RegExp): boolean =>
      simulator.requests.some(
        ({ operation, person }) => operation === "eko.mobile-otp.verify" && id.test(person ?? ""),
      );
    await expect.poll(() => verified(/000$/)).toBe(true);
    await expect.poll(() => verified(/007$/)).toBe(true);
    expect(await demo.stop()).toMatchObject({ code: 0, stderr: "" });
    // What is left must be called by no worker of a real provider, also of one alone.
    const real = { ...options.env, DEEPVUE_BASE_URL: "https://deepvue.invalid" };
    const { code, stderr } = await satyapan(["worker"], { ...options, env: real, timeoutMs: 60_000 });
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining(MADE_UP) as string });
    const { stdout } = await satyapan(["doctor"], { ...options, env: real });
    expect(stdout).toContain(MADE_UP);
  });

  it("refuses to run where the workers call anybody but the simulator", async () => {
    await using place = await makeTempDir();
    await using simulator = await startSimulator();
    const env = { ...bundleEnv(simulator, "redis://127.0.0.1:1"), EKO_BASE_URL: "https://staging.eko.in/ekoapi/v3" };
    const args = ["--simulator", simulator.url, "--folder", place.path];
    const { code, stderr } = await satyapan(args, { cwd: place.path, env, program: [process.execPath, MAIN] });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `EKO_BASE_URL is not the simulator's (${simulator.url}): the demo runs against the simulator alone\n`,
    });
  });
});
