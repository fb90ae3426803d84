import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import type { JobRecord } from "../../../src/records/record.ts";
import { testKeys } from "../../support/client.ts";
import { type Ran, RunningCommand, satyapan } from "../../support/command.ts";
import { hasScript, onTerminal } from "../../support/pseudo-terminal.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";
import { startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

const MAIN = fileURLToPath(new URL("../../../bin/main.ts", import.meta.url));
/** Made up, and never to be seen in a message. */
const MOBILE = "9876501234";
/** Nobody listens there (RFC 6335: tcpmux): whoever asks Redis ends with exit code 3. */
const CLOSED_PORT = { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1" };

let dir: TempDir;
beforeAll(async () => {
  dir = await makeTempDir();
});
afterAll(async () => await dir[Symbol.asyncDispose]());

/** One line on stderr, nothing on stdout, nothing of a person. */
function refusal({ code, stdout, stderr }: Ran, exitCode: number): string {
  expect(stderr).toMatch(/^satyapan: .+\n$/);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
  expect(stderr).not.toContain(MOBILE);
  return stderr.slice("satyapan: ".length, -1);
}

describe("the commands of those on call, used wrongly", () => {
  const cases: readonly [command: string, message: string][] = [
    ["quota set eko soon", 'the quota must be windows of calls/duration, like 1/1s,30/1m,1000/1d, not "soon"'],
    ["quota set eko 5/1s,3/1m", "the longer window allows fewer calls than the shorter"],
    ["quota set eko 1/1s,0/1m", "the quota must be 0/1s alone to hold all calls"],
    ["quota set eko 1/1", "must have a unit"],
    [
      "quota set ekko 1/1s",
      "'ekko' is invalid for argument 'provider'. Allowed choices are eko, deepvue; see `satyapan quota set --help`",
    ],
    ["quota reset", "missing required argument 'provider'; see `satyapan quota reset --help`"],
    ["quota change", "unknown command 'change'"],
    ["provider resume eko --scope " + MOBILE, "scope: must be user_code:VALUE, initiator_id:VALUE"],
    ["provider show " + MOBILE, "(not shown: it may be a value)"],
    ["settle job-1 resend", "required option '--reason <text>' not specified; see `satyapan settle --help`"],
    ["settle job-1 resend --reason=", "reason: say why"],
    ["settle job-1 resend --reason " + MOBILE, "reason: holds what looks like a mobile or Aadhaar number"],
    ["promote", "missing required argument 'id'; see `satyapan promote --help`"],
    ["promote job-1 --reason=", "reason: say why"],
    ["promote job-1 --reason " + MOBILE, "reason: holds what looks like a mobile or Aadhaar number"],
    ["settle job-1 failed --reason x", "Allowed choices are succeeded, rejected, resend"],
    ["settle job-1 --reason x", "missing required argument 'decision'"],
    [
      "failed list --since yesterday",
      '--since must be a duration like 2h, or a time like 2026-01-15T10:00:00+05:30, not "yesterday"',
    ],
    ["failed list --since 2026-02-30T10:00", "--since must be a duration"],
    ["failed list --since 2999-01-01", "--since must be in the past"],
    ["failed list --since 2", "--since must have a unit"],
    ["failed list --limit 0", '--limit must be a whole number from 1, not "0"'],
    ["failed retry --operation eko.mobile-opt", "unknown operation eko.mobile-opt: did you mean eko.mobile-otp?"],
    ["failed retry --outcome broken", "Allowed choices are rejected, pending"],
    ["failed drop", "no job is named: this would drop all that fit; --dry-run counts them, --yes drops them"],
    ["failed drop --since 2h", "no job is named: this would drop all that fit"],
    ["failed retry", "no job and no filter is given: this would retry all; --dry-run counts them, --yes retries them"],
    ["failed retry --rate 10/s", "no job and no filter is given: this would retry all"],
    ["failed retry --rate fast", '--rate must be jobs per time, like 10/s or 600/1m, not "fast"'],
    ["failed retry --rate 0/s", '--rate must be jobs per time, like 10/s or 600/1m, not "0/s"'],
  ];
  it.concurrent.each(cases)("%s: says so in one line, before Redis is asked", async (command, message) => {
    const ran = await satyapan(command.split(" "), { cwd: dir.path, env: CLOSED_PORT });
    expect(refusal(ran, 2)).toContain(message);
    expect(readdirSync(dir.path)).not.toContain(".satyapan");
  });

  it.concurrent.each([
    "quota show",
    "provider show eko",
    "settle job-1 resend --reason x",
    "promote job-1",
    "failed list",
  ])("%s ends with 3 where Redis cannot be reached", async (command) => {
    const ran = await satyapan(command.split(" "), { cwd: dir.path, env: CLOSED_PORT });
    expect(refusal(ran, 3)).toContain("127.0.0.1:1");
  });
});

describe("the commands of those on call", () => {
  let bundle: WorkerBundle;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const keys = testKeys();
    const fault = { operation: "eko.mobile-otp", fault: "temporary-failure", times: 2 } as const;
    bundle = await startWorkerBundle({
      simulator: { faults: [fault] },
      env: { ...keys, CALL_ATTEMPTS: "1", EKO_QUOTA: "100/1s", OTP_COOLDOWN: "0s" },
    });
    env = { ...keys, REDIS_URL: bundle.redis.url, OTP_COOLDOWN: "0s" };
    await bundle.startWorker();
  });
  afterAll(async () => await bundle[Symbol.asyncDispose]());
  // What failed on purpose may have opened the breaker; it says so where it did not.
  beforeEach(async () => void (await bundle.client.gates.resume("eko").catch(() => {})));
  const run = async (...args: string[]): Promise<Ran> => await satyapan(args, { cwd: dir.path, env });
  const submit = async (id: string, index: number, ending = "000"): Promise<JobRecord> => {
    await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(index, ending), csp_id: "agent1" }, { id });
    return await bundle.client.waitFor(id);
  };

  it("failed: lists, counts, tries again and drops; refuses an unknown job", async () => {
    expect((await run("failed", "list")).stdout).toBe("no failed job\n");
    expect((await submit("one", 1)).state).toBe("failed");
    expect((await submit("two", 2)).state).toBe("failed");
    await bundle.client.gates.resume("eko").catch(() => {});
    expect((await submit("maybe", 3, "902")).state).toBe("unknown");
    const list = await run("failed", "list", "--outcome", "unavailable", "--since", "1h");
    expect(list).toMatchObject({ code: 0, stderr: "" });
    expect(list.stdout).toMatch(/^one +eko\.mobile-otp +interactive +\S+Z +1 +unavailable +attempts used up \(1\): /m);
    expect(list.stdout).toMatch(/\n\n2 failed jobs\n$/);
    const json = JSON.parse((await run("failed", "list", "--json")).stdout) as JobRecord[];
    expect(json).toEqual(await bundle.client.getMany(["one", "two"]));
    expect((await run("failed", "list", "--limit", "1")).stdout).toMatch(/\n\n2 failed jobs; the first 1 /);
    expect((await run("failed", "retry", "--dry-run")).stdout).toBe("2 failed jobs would be retried\n");
    expect(refusal(await run("failed", "retry", "maybe"), 2)).toBe(
      "job maybe is unknown, not failed; whether it happened is for you to say: `satyapan settle maybe succeeded|rejected|resend`",
    );
    await bundle.client.gates.resume("eko").catch(() => {});
    expect((await run("failed", "list", "--outcome", "succeeded")).code).toBe(2);
    expect(refusal(await run("failed", "drop"), 2)).toBe(
      "no job is named: this would drop all that fit; --dry-run counts them, --yes drops them",
    );
    expect((await run("failed", "drop", "--dry-run")).stdout).toBe("2 failed jobs would be dropped\n");
    expect((await run("failed", "drop", "two", "--json")).stdout).toBe('{"dropped":1,"matching":1}\n');
    expect(await bundle.client.get("two")).toBeNull();
    const retried = await run("failed", "retry", "--yes", "--rate", "10/s");
    expect(retried).toMatchObject({ code: 0, stdout: "1 job retried; `satyapan show ID` says how each goes on\n" });
    expect((await bundle.client.waitFor("one")).state).toBe("succeeded");
    expect((await run("failed", "retry", "--since", "1h")).stdout).toBe("no failed job fits\n");
    bundle.simulator.configure({ faults: [{ operation: "eko.mobile-otp", fault: "temporary-failure", times: 1 }] });
    expect((await submit("three", 5)).state).toBe("failed");
    expect((await run("failed", "drop", "--yes")).stdout).toBe("1 job dropped\n");
    expect(await bundle.client.get("three")).toBeNull();
  });

  it.runIf(hasScript)("failed: asks on a terminal, with the count, before it changes what is not named", async () => {
    bundle.simulator.configure({ faults: [{ operation: "eko.mobile-otp", fault: "temporary-failure", times: 2 }] });
    expect((await submit("four", 7)).state).toBe("failed");
    expect((await submit("five", 8)).state).toBe("failed");
    await bundle.client.gates.resume("eko").catch(() => {});
    const answer = async (command: string, question: string, keys: string): Promise<Ran> => {
      const program = onTerminal(`${process.execPath} ${MAIN} ${command}`, 100);
      await using asking = new RunningCommand([], { cwd: dir.path, env, program });
      await asking.said(question);
      asking.type(keys);
      return await asking.ended;
    };
    const question = "2 failed jobs will be retried: go on? [y/N] ";
    for (const no of ["\r", "n\r", "\u0003"]) {
      const refused = await answer("failed retry", question, no);
      expect(refused.stdout).toMatch(/nothing was done\r\n$/);
      expect(refused.code).toBe(1);
    }
    const dropped = "2 failed jobs will be dropped: go on? [y/N] ";
    expect((await answer("failed drop --since 1h", dropped, "n\r")).code).toBe(1);
    expect((await run("failed", "list")).stdout).toMatch(/\n\n2 failed jobs\n$/);
    expect(await answer("failed retry", question, "y\r")).toMatchObject({ code: 0 });
    expect((await bundle.client.waitFor("four")).state).toBe("succeeded");
    expect((await bundle.client.waitFor("five")).state).toBe("succeeded");
  });

  it("settle: decides an unknown job, shows the decision, and refuses a second one", async () => {
    expect((await submit("lost", 4, "902")).state).toBe("unknown");
    const settled = await run("settle", "lost", "rejected", "--reason", "never arrived, ticket 17");
    expect(settled).toMatchObject({ code: 0, stderr: "" });
    expect(settled.stdout).toMatch(/^state +rejected$/m);
    expect(settled.stdout).toMatch(/^decided +\S+Z rejected: never arrived, ticket 17$/m);
    const again = await run("settle", "lost", "resend", "--reason", "x", "--json");
    expect(refusal(again, 2)).toBe("job lost is rejected, not unknown: there is nothing to decide");
  });

  it("quota: shows, sets and resets, and says what 0 means", async () => {
    const set = await run("quota", "set", "eko", "0");
    expect(set.stdout).toBe(
      "eko: quota 0/1s, which holds every call, in all workers, until `satyapan quota reset eko`\n",
    );
    const show = await run("quota", "show");
    expect(show.stdout).toMatch(/^eko +0\/1s +- +command: all calls are held$/m);
    expect(show.stdout).toMatch(/^deepvue +1000\/1s +0 +settings$/m);
    const json = JSON.parse((await run("quota", "show", "eko", "--json")).stdout) as unknown;
    expect(json).toMatchObject({ provider: "eko", quota: "0/1s", quota_set_by: "command", quota_holds_all: true });
    expect((await run("provider", "show", "eko")).stdout).toMatch(/^calls +none: its quota is 0$/m);
    const reset = await run("quota", "reset", "eko");
    expect(reset).toMatchObject({ code: 0, stdout: "eko: quota 100/1s, as in the workers' settings\n", stderr: "" });
  });

  it("provider: shows a hold with its times, and resumes it once", async () => {
    const { simulator, client } = bundle;
    simulator.configure({ faults: [{ operation: "eko.mobile-otp", fault: "bad-credentials", times: 1 }] });
    await client.submit("eko.mobile-otp", { mobile: madeUpMobile(5), csp_id: "agent1" }, { id: "held" });
    await expect.poll(async () => (await client.gates.read("eko")).holds).toHaveLength(1);
    const { stdout } = await run("provider", "show", "eko");
    expect(stdout).toMatch(/^calls +none: it is held$/m);
    expect(stdout).toMatch(/^held +.+; since \S+Z, one job tries at \S+Z$/m);
    const resumed = await run("provider", "resume", "eko");
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(resumed.stdout).toMatch(/^eko resumed: it was held \(.+\)\n$/);
    expect((await client.waitFor("held")).state).toBe("succeeded");
    expect(refusal(await run("provider", "resume", "eko"), 2)).toBe("eko is not held, there is nothing to resume");
  });

  it("provider: shows a queue that is paused in BullMQ, and resumes it", async () => {
    await bundle.redis.client().hset("bull:{eko-0}:meta", "paused", 1);
    const { stdout } = await run("provider", "show", "eko");
    expect(stdout).toMatch(/^calls +none: its queue is paused in BullMQ$/m);
    expect(stdout).toMatch(
      /^queue +the queue is paused in BullMQ since \S+Z .+; `satyapan provider resume eko` resumes it$/m,
    );
    const resumed = await run("provider", "resume", "eko");
    expect(resumed.stdout).toBe("eko resumed: its queue was paused in BullMQ, by another tool\n");
    expect(await bundle.redis.client().hexists("bull:{eko-0}:meta", "paused")).toBe(0);
  });

  it("submit --if-pending reuse: gives the job of the open OTP, and says so", async () => {
    expect((await submit("open", 6)).state).toBe("succeeded");
    const args = [
      "submit",
      "eko.mobile-otp",
      "--input",
      JSON.stringify({ mobile: madeUpMobile(6, "000"), csp_id: "agent1" }),
    ];
    const text = await run(...args, "--if-pending", "reuse", "--wait", "2m");
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^job +open \(its OTP is still open: nothing was sent\)$/m);
    const json = JSON.parse((await run(...args, "--if-pending", "reuse", "--json")).stdout) as JobRecord;
    expect(json).toMatchObject({ id: "open", reused: true });
    const each = await run(
      "submit",
      "eko.dmt-levin.sender",
      "--input",
      `{"customer_id":"${MOBILE}"}`,
      "--if-pending",
      "reuse",
    );
    expect(refusal(each, 2)).toBe("ifPending: eko.dmt-levin.sender sends no OTP, so there is none to reuse");
  });
});
