import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testKeys } from "../support/client.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";

const BIN = fileURLToPath(new URL("../../bin/satyapan.js", import.meta.url));
/** Made up. */
const MOBILE = "9876501234";
const REAL = {
  DEEPVUE_BASE_URL: "https://deepvue.invalid",
  DEEPVUE_CLIENT_ID: "made-up-id",
  DEEPVUE_CLIENT_SECRET: "made-up-secret",
};

let dir: TempDir;
let redis: TestRedis;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  dir = await makeTempDir();
  redis = await startTestRedis();
  env = { ...testKeys(), REDIS_URL: redis.url };
});
afterAll(async () => {
  await redis.stop();
  await dir[Symbol.asyncDispose]();
});

describe.skipIf(!existsSync("/proc/self/cmdline"))("a command's process", () => {
  it("shows its command but not its arguments, and opens no debugger at SIGUSR1", async () => {
    const input = JSON.stringify({ mobile: MOBILE, csp_id: "agent1" });
    const args = [BIN, "submit", "eko.mobile-otp", "--input", input, "--wait", "1h"];
    const child = spawn(process.execPath, args, { cwd: dir.path, env });
    try {
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
      // Its last word is said once it waits for the job: until then nothing is over.
      const record = async (): Promise<number> => (await redis.client().keys("satyapan:*:job:*")).length;
      await expect.poll(record).toBe(1);
      const shown = readFileSync(`/proc/${child.pid}/cmdline`, "utf8").replaceAll("\0", "");
      expect(shown).toBe("satyapan submit");
      child.kill("SIGUSR1");
      // Whoever handles signals in order has handled that one when this one ends it.
      const ended = once(child, "close");
      child.kill("SIGTERM");
      await ended;
      expect(said).not.toContain("Debugger listening");
    } finally {
      child.kill("SIGKILL");
    }
  });
});

describe("a worker with a real provider's settings", () => {
  it("is refused under a debugger or with debug output, naming each, before Redis is asked", async () => {
    const open = { NODE_OPTIONS: "--inspect=127.0.0.1:0", NODE_DEBUG: "undici" };
    const refused = await satyapan(["worker"], {
      cwd: dir.path,
      env: { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1", ...REAL, ...open },
    });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("satyapan: real providers would be called from a process that gives clear values");
    expect(refused.stderr).toMatch(
      /\n {2}a debugger may connect and read all memory \(--inspect\): .*\n {2}NODE_DEBUG=undici /,
    );
    expect(refused.stderr).not.toContain("made-up-secret");
  });

  it("starts with debug output where the provider is a simulator, and says so in its log", async () => {
    const simulated = { ...REAL, DEEPVUE_BASE_URL: "http://127.0.0.1:1", NODE_DEBUG: "http", METRICS_PORT: "0" };
    await using worker = new RunningCommand(["worker"], { cwd: dir.path, env: { ...env, ...simulated } });
    expect(await worker.said(/.*clear values may leave this process.*/)).toContain("NODE_DEBUG=http");
    await worker.said("worker ready");
    expect((await worker.stop()).code).toBe(0);
  });
});
