import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { defineSimulator, type SimulatorContext } from "../../simulator/command.ts";
import { ENDINGS } from "../../simulator/endings.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { ErrorCode } from "../../src/base/error.ts";
import { like } from "./like.ts";

interface Running extends AsyncDisposable {
  readonly greeting: string;
  readonly url: string;
  readonly stderr: PassThrough;
}

async function parse(context: SimulatorContext, flags: readonly string[]): Promise<void> {
  const command = new Command("simulator");
  defineSimulator(command, context);
  await command.parseAsync(["--port", "0", ...flags], { from: "user" });
}

/** The command with a stream for stdout, until the scope ends. */
async function run(...flags: string[]): Promise<Running> {
  const stop = new AbortController();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const ended = parse({ stdout, stderr, signal: stop.signal }, flags);
  const failed = ended.then(() => Promise.reject(new Error("the command ended without a greeting")));
  await Promise.race([once(stdout, "readable"), failed]);
  failed.catch(() => undefined);
  const greeting = String(stdout.read());
  const url = /http:\/\/\S+/.exec(greeting)?.[0] ?? "";
  const close = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  return { greeting, url, stderr, [Symbol.asyncDispose]: close };
}

async function refused(...flags: string[]): Promise<unknown> {
  const context = { stdout: new PassThrough(), stderr: new PassThrough(), signal: AbortSignal.abort() };
  return parse(context, flags).then(
    () => "accepted",
    (error: unknown) => error,
  );
}

describe("satyapan simulator", () => {
  it("says what it is, where it is, what to copy, and what every ending does", async () => {
    await using running = await run();
    expect(running.greeting).toContain("a stand-in for Eko and Deepvue");
    const served = await (await fetch(`${running.url}/_simulator/environment`)).text();
    expect(running.greeting).toContain(served);
    expect(running.greeting).toContain(`${running.url}/_simulator/outbox?to=NUMBER`);
    for (const { digits, deepvue } of ENDINGS) {
      expect(running.greeting).toMatch(new RegExp(`^  ${digits}\\b.*${deepvue.replaceAll(/\W/g, ".")}`, "m"));
    }
  });

  it("takes quotas and the pending window, and says no where one is wrong", async () => {
    await using running = await run("--eko-quota", "10/1s", "--deepvue-quota", "1/1s,30/1m", "--pending-window", "2m");
    const init = { method: "POST", body: "{}" };
    const configuration: unknown = await (await fetch(`${running.url}/_simulator/configure`, init)).json();
    expect(configuration).toMatchObject({
      quotas: {
        eko: [{ max: 10, ms: 1_000 }],
        deepvue: [
          { max: 1, ms: 1_000 },
          { max: 30, ms: 60_000 },
        ],
      },
      pendingWindowMs: 120_000,
    });
    expect(await refused("--eko-quota", "ten")).toMatchObject({ message: like("--eko-quota") });
    expect(await refused("--pending-window", "60")).toMatchObject({ message: like("--pending-window") });
  });

  it.each([
    ["--port", "65536"],
    ["--port", "http"],
    ["--seed", "-1"],
  ])("refuses %s %s", async (flag, value) => {
    expect(await refused(flag, value)).toMatchObject({ code: ErrorCode.BAD_USAGE, message: like(flag) });
  });

  it("writes the public key where it is told to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "simulator-"));
    try {
      const file = join(folder, "key");
      await using running = await run("--public-key-out", file);
      expect(running.greeting).toContain(`EKO_AADHAAR_PUBLIC_KEY='${(await readFile(file, "utf8")).trim()}'`);
      expect(await refused("--public-key-out", join(file, "below"))).toMatchObject({ code: ErrorCode.BAD_FILE });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("logs to stderr on request", async () => {
    await using running = await run("--log");
    await fetch(`${running.url}/v2/ekyc/aadhaar/generate-otp`, { method: "POST" });
    expect(String(running.stderr.read())).toMatch(/^deepvue\.aadhaar-otp 403 \d+ ms\n$/);
  });

  it("says that the port is taken", async () => {
    await using other = await startSimulator();
    expect(await refused("--port", new URL(other.url).port)).toMatchObject({ code: ErrorCode.PORT_TAKEN });
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends at %s with exit code 0", async (signal) => {
    const main = fileURLToPath(new URL("../../bin/main.ts", import.meta.url));
    const child = spawn(process.execPath, [main, "simulator", "--port", "0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stderr = text(child.stderr);
    await once(child.stdout, "data");
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(await stderr).toBe("");
  });
});
