import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator } from "../../simulator/simulator.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

/** Made up; the fault's message repeats it, as a careless library would. */
const MOBILE = "9876501234";
const FAULTS = [
  ["an exception that nobody caught", "throw fault()"],
  ["a rejection that nobody handled", "void Promise.reject(fault())"],
] as const;

const MAIN = fileURLToPath(new URL("../../bin/main.ts", import.meta.url));

let dir: TempDir;
beforeAll(async () => {
  dir = await makeTempDir();
});
afterAll(async () => {
  await dir[Symbol.asyncDispose]();
});

/** A module loaded before the command, which makes that fault at SIGUSR2. */
function preload(name: string, fault: string): string {
  const make = `const fault = () => Object.assign(new TypeError("about ${MOBILE}"), { code: "E_PLANTED" });`;
  const path = join(dir.path, name);
  writeFileSync(path, `${make}\nprocess.on("SIGUSR2", () => {\n  ${fault};\n});\n`);
  return path;
}

describe.each(FAULTS)("%s", (what, fault) => {
  const program = () => [process.execPath, "--import", preload(`${what}.mjs`, fault), MAIN] as const;

  it("ends a worker after the call in flight came back, with code 1 and one line without its message", async () => {
    await using redis = await startTestRedis();
    await using simulator = await startSimulator({ configuration: { latencyMs: { min: 1_500, max: 1_500 } } });
    const env = bundleEnv(simulator, redis.url);
    await using worker = new RunningCommand(["worker"], { cwd: dir.path, env, program: program() });
    await worker.said("worker ready");
    const input = JSON.stringify({ mobile: MOBILE, csp_id: "agent1" });
    const submitted = await satyapan(["submit", "eko.mobile-otp", "--json", "--input", input], { cwd: dir.path, env });
    const { id } = JSON.parse(submitted.stdout) as { id: string };
    await expect.poll(() => simulator.requests.length).toBe(1);
    worker.kill("SIGUSR2");
    const { code, stderr } = await worker.ended;
    expect(code).toBe(1);
    const told = stderr.split("\n").filter((line) => line.includes('"level":"fatal"'));
    expect(told).toHaveLength(1);
    expect(JSON.parse(told[0] ?? "")).toMatchObject({
      err: { name: "TypeError", code: "E_PLANTED", at: expect.stringMatching(/^at /) as unknown },
    });
    expect(stderr).not.toContain(MOBILE);
    const shown = await satyapan(["show", id, "--json"], { cwd: dir.path, env });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      state: "succeeded",
      attempts: [{ outcome: { kind: "succeeded" } }],
    });
  });

  it("ends a command that has no calls at once, with code 1 and one line without its message", async () => {
    await using simulator = new RunningCommand(["simulator", "--port", "0"], { cwd: dir.path, program: program() });
    await simulator.said("Listening on");
    simulator.kill("SIGUSR2");
    const { code, stderr } = await simulator.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^satyapan: ended by a fault of its own: \{"name":"TypeError","code":"E_PLANTED","at":"at .*"\}\n$/,
    );
  });
});
