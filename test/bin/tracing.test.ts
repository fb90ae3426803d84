import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator } from "../../simulator/simulator.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { freePort } from "../support/free-port.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const HOOK = pathOf("../support/loaded-packages.ts");
const PROGRAM = [process.execPath, "--import", HOOK, pathOf("../../bin/main.ts")] as const;
const INPUT = JSON.stringify({ mobile: "9876501234", csp_id: "agent1" });

let dir: TempDir;
beforeAll(async () => void (dir = await makeTempDir()));
afterAll(async () => await dir[Symbol.asyncDispose]());

/** What a worker says that runs one job and is stopped, and the packages it loaded; how long its end took, in ms. */
async function lifeOf(more: Readonly<Record<string, string>>) {
  await using redis = await startTestRedis();
  await using simulator = await startSimulator();
  const env = { ...bundleEnv(simulator, redis.url), ...more };
  await using worker = new RunningCommand(["worker"], { cwd: dir.path, env, program: PROGRAM });
  await worker.said("worker ready");
  const shown = await satyapan(["submit", "eko.mobile-otp", "--wait", "2m", "--input", INPUT], { cwd: dir.path, env });
  expect(shown.code).toBe(0);
  const began = performance.now();
  worker.kill("SIGTERM");
  const { stderr } = await worker.ended;
  return {
    ...{ stderr, shown: shown.stdout, endedMs: performance.now() - began },
    loaded: /^loaded: (.*)$/m.exec(stderr)?.[1] ?? "",
  };
}

describe("a worker's process", () => {
  it("without a collector loads nothing of OpenTelemetry, and shows no trace", async () => {
    const { loaded, stderr, shown } = await lifeOf({});
    expect(loaded).toMatch(/\bpino\b/);
    expect(loaded).not.toMatch(/@opentelemetry\/(?!api\b)/); // prom-client loads that one
    expect(stderr).not.toMatch(/tracing|trace_id/);
    expect(shown).not.toMatch(/^trace /m);
  });

  it("whose collector is not there says so in one line, and runs and ends as ever; show names the trace", async () => {
    const collector = `127.0.0.1:${await freePort()}`;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector}`, LOG_FORMAT: "pretty" };
    const { loaded, stderr, shown, endedMs } = await lifeOf(env);
    expect(loaded).toContain("@opentelemetry/exporter-trace-otlp-proto");
    const trace = /^trace +([\da-f]{32})$/m.exec(shown)?.[1];
    expect(stderr).toMatch(new RegExp(` INFO {2}tracing is on collector=${collector} share=1\\n`));
    expect(stderr).toMatch(new RegExp(` INFO {2}attempt finished .* trace_id=${String(trace)}\\n`));
    expect(stderr.match(/spans cannot be exported/g) ?? []).toHaveLength(1);
    expect(endedMs).toBeLessThan(30_000);
  });
});
