import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "../../simulator/simulator.ts";
import { testKeys } from "../support/client.ts";
import { type Ran, RunningCommand, satyapan } from "../support/command.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";

const KEYS = testKeys();
/** Nobody listens there. */
const AWAY = { ...KEYS, REDIS_URL: "redis://:a-password@127.0.0.1:1" };
const INPUT = ["--input", '{"mobile":"9123456780","csp_id":"a1"}'];

let dir: TempDir;
let simulator: Simulator;
beforeAll(async () => {
  dir = await makeTempDir();
  simulator = await startSimulator();
});
afterAll(async () => {
  await simulator.close();
  await dir[Symbol.asyncDispose]();
});

const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  await satyapan(args, { cwd: dir.path, env });

describe("satyapan", () => {
  it("prints its help: on stdout when asked for, on stderr and with code 2 when nothing was", async () => {
    const asked = await run(["--help"]);
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    for (const command of ["worker", "submit", "show", "operations", "simulator", "doctor"])
      expect(asked.stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    expect(asked.stdout).toContain("Exit codes: 0 done, ");
    expect(await run([])).toMatchObject({ code: 2, stdout: "", stderr: asked.stdout });
  });

  it.concurrent.each([
    [["submti"], "unknown command 'submti' (Did you mean submit?); see `satyapan --help`"],
    [["999999990019"], "unknown command (not shown: it may be a value); see `satyapan --help`"],
    [["--port", "1"], "unknown option '--port'; see `satyapan --help`"],
    [["worker", "--aadhaar=999999990019"], "unknown option '--aadhaar'; see `satyapan worker --help`"],
    [
      ["doctor", "Tara"],
      "too many arguments for 'doctor'. Expected 0 arguments but got 1; see `satyapan doctor --help`",
    ],
    [["show"], "missing required argument 'id'; see `satyapan show --help`"],
  ])("says in one line what is wrong with %j", async (args, message) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: "", stderr: `satyapan: ${message}\n` });
  });

  it("goes on quietly when whoever read its output has gone", async () => {
    await using command = new RunningCommand(["operations"], { cwd: dir.path });
    command.closeOutput();
    expect(await command.ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("settings that are wrong", () => {
  const secret = "bm90LTMyLWJ5dGVz"; // a key that is too short
  const cases: readonly [what: string, env: Readonly<Record<string, string>>, names: RegExp][] = [
    ["a malformed number", { METRICS_PORT: "http" }, /METRICS_PORT must be a whole number from 0 to 65535, not "http"/],
    ["a duration without a unit", { CALL_TIMEOUT: "30" }, /CALL_TIMEOUT must have a unit/],
    ["a malformed quota", { DEEPVUE_QUOTA: "lots" }, /DEEPVUE_QUOTA must be windows of calls\/duration/],
    ["a malformed REDIS_URL", { ...KEYS, REDIS_URL: "http://localhost" }, /REDIS_URL must look like one of/],
    [
      "an encryption key of the wrong length",
      { ...KEYS, SATYAPAN_ENCRYPTION_KEYS: `k1:${secret}` },
      /SATYAPAN_ENCRYPTION_KEYS .*32 bytes/,
    ],
    [
      "a subject key of the wrong length",
      { ...KEYS, SATYAPAN_SUBJECT_KEY: secret },
      /SATYAPAN_SUBJECT_KEY must be 32 bytes in base64/,
    ],
    ["a Redis without keys", { REDIS_URL: "redis://127.0.0.1:1" }, /SATYAPAN_ENCRYPTION_KEYS is missing/],
    ["half of a provider's credentials", { DEEPVUE_CLIENT_ID: "id-1" }, /DEEPVUE_CLIENT_SECRET is missing/],
    ["a secret's file that is not there", { EKO_ACCESS_KEY_FILE: "/nowhere/key" }, /EKO_ACCESS_KEY_FILE/],
    ["times that do not fit", { CALL_TIMEOUT: "40s" }, /SHUTDOWN_GRACE .*must be longer than CALL_TIMEOUT/],
  ];
  it.concurrent.each(cases)("%s: named, and nothing starts", async (_what, env, names) => {
    await using fresh = await makeTempDir();
    const { code, stdout, stderr } = await satyapan(["show", "order-1"], { cwd: fresh.path, env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^satyapan: /);
    expect(stderr).toMatch(names);
    expect(stderr).not.toContain(secret);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(readdirSync(fresh.path)).toEqual([]);
  });

  it("warns of a variable that begins like ours and is none", async () => {
    const ran = await run(["show", "order-1"], { ...AWAY, EKO_ACESS_KEY: secret });
    expect(ran.stderr).toContain(
      "warning: EKO_ACESS_KEY is not a setting and has no effect: is EKO_ACCESS_KEY meant?\n",
    );
    expect(ran.stderr).not.toContain(secret);
  });
});

describe("a worker without credentials", () => {
  it("refuses to start, and names the variables", async () => {
    const { code, stdout, stderr } = await run(["worker"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^satyapan: a worker needs the settings of a provider: set EKO_DEVELOPER_KEY, .*\n$/);
  });
});

describe("Redis away", () => {
  it.concurrent.each([
    ["submit", "eko.mobile-otp", ...INPUT, "--retry-for", "0"],
    ["submit", "eko.mobile-otp.verify", "--input", '{"of":"sent","otp":"1234"}', "--retry-for", "0"],
    ["submit", "eko.mobile-otp", ...INPUT, "--wait", "10m", "--retry-for", "0"],
    ["show", "order-1"],
    ["worker"],
  ])("makes `%s %s` end at once, with code 3", async (...args) => {
    // Beside it one that is refused before it asks anybody: how long a start takes, now and on this machine.
    const [{ code, stdout, stderr, ms }, start] = await Promise.all([
      run(args, { ...AWAY, ...simulator.env }),
      run(args, { ...AWAY, ...simulator.env, REDIS_URL: "nowhere://" }),
    ]);
    expect(start.code).toBe(2);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines.at(-1)).toBe(
      "satyapan: Redis at redis://127.0.0.1:1/0 cannot be reached: connect ECONNREFUSED 127.0.0.1:1. Start it, or set REDIS_URL to one that runs.",
    );
    // A worker's log may stand before it.
    expect(lines.slice(0, -1).filter((line) => !line.startsWith("{"))).toEqual([]);
    expect(stderr).not.toContain("a-password");
    expect(ms).toBeLessThan(3 * start.ms + 2_000);
  });
});

describe("a port that is taken", () => {
  it("ends the simulator with code 2 and says how to choose another", async () => {
    const { port } = new URL(simulator.url);
    const ran = await run(["simulator", "--port", port]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toMatch(
      new RegExp(`^satyapan: Port ${port} on 127\\.0\\.0\\.1 is already in use: .*--port.*\n$`),
    );
  });

  it("ends the worker with code 2 and names METRICS_PORT", async () => {
    await using redis = await startTestRedis();
    const { port } = new URL(simulator.url);
    const env = { ...KEYS, ...simulator.env, REDIS_URL: redis.url, METRICS_PORT: port };
    const { code, stdout, stderr } = await satyapan(["worker"], { cwd: dir.path, env });
    expect(stderr).toContain(
      `satyapan: METRICS_PORT: port ${port} is taken by another process; set another one, or 0 for any free one\n`,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

describe("signals", () => {
  it("end a worker in good order, also where npx passes the terminal's Ctrl-C on a second time", async () => {
    await using redis = await startTestRedis();
    const env = { ...KEYS, ...simulator.env, REDIS_URL: redis.url, METRICS_PORT: "0" };
    await using worker = new RunningCommand(["worker"], { cwd: dir.path, env });
    await worker.said("worker ready");
    worker.kill("SIGINT");
    await worker.said("worker stopping");
    worker.kill("SIGINT");
    const { code, stderr } = await worker.ended;
    expect(stderr).toContain('"clean":true');
    expect(code).toBe(0);
  });
});
