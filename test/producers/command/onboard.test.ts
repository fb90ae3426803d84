import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { bundleEnv, startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

let bundle: WorkerBundle;
let dir: Awaited<ReturnType<typeof makeTempDir>>;
let env: Record<string, string>;
beforeAll(async () => {
  // The same for the worker of this process and for the commands.
  const keys = testKeys();
  bundle = await startWorkerBundle({ env: { ...keys, OTP_COOLDOWN: "30s" } });
  env = { ...bundleEnv(bundle.simulator, bundle.redis.url), ...keys, OTP_COOLDOWN: "30s" };
  dir = await makeTempDir();
  await bundle.startWorker();
});
afterAll(async () => {
  await dir[Symbol.asyncDispose]();
  await bundle[Symbol.asyncDispose]();
});

const run = async (args: readonly string[], stdin?: string) =>
  await satyapan(args, { cwd: dir.path, env, ...(stdin === undefined ? {} : { stdin }) });

describe("satyapan onboard and satyapan otp", () => {
  it("take a person through a flow, with the code from standard input", async () => {
    const mobile = madeUpMobile(1);
    const input = JSON.stringify({ mobile, csp_id: "agent-1" });
    const begun = await run(["onboard", "eko.mobile", "--id", "asha", "--wait", "20s", "--input", "-"], input);
    expect(begun).toMatchObject({ code: 0, stderr: "" });
    expect(begun.stdout).toMatch(/^state +awaiting_otp$/m);
    expect(begun.stdout).toMatch(/^what to do +ask for the code: satyapan otp asha CODE$/m);
    const { otp } = await bundle.simulator.waitForOtp(mobile);
    const wrong = await run(["otp", "asha", otp === "0000" ? "0001" : "0000"]);
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stdout).toMatch(/rejected: wrong or expired OTP .*; 2 more may be tried$/m);
    expect(await run(["otp", "asha", "--resend"])).toMatchObject({ code: 2, stdout: "" });
    const right = await run(["otp", "asha", "-", "--json"], `${otp}\n`);
    expect(right.code).toBe(0);
    expect(JSON.parse(right.stdout)).toMatchObject({ id: "asha", answer: "begun", state: "succeeded" });
    await bundle.client.onboardings.waitFor("asha", { timeoutMs: 60_000 });
    expect((await run(["onboard", "show", "asha"])).stdout).toMatch(/^state +succeeded$/m);
    const listed = JSON.parse((await run(["onboard", "list", "--json"])).stdout) as { id: string }[];
    expect(listed.map(({ id }) => id)).toEqual(["asha"]);
    const again = await run(["onboard", "eko.mobile", "--id", "asha", "--input", input]);
    expect(again.stdout).toMatch(/^onboarding +asha \(was there already\)$/m);
    const late = await run(["otp", "asha", "99999"]);
    expect(late).toMatchObject({ code: 2, stderr: "satyapan: asha awaits no code: it is succeeded\n" });
  });

  it("refuse what is wrong, before anything is begun, and repeat no number", async () => {
    const bad: [string[], RegExp][] = [
      [["onboard"], /give a flow and the person/],
      [["onboard", "eko.mobile"], /give a flow and the person/],
      [["onboard", "9123456780", "--input", "{}"], /unknown flow: there are/],
      [["onboard", "eko.mobile", "--input", '{"mobile":"12"}'], /mobile: must be a mobile number.*csp_id: is missing/],
      [["onboard", "eko.mobile", "--input", "{", "--id", "x"], /not valid JSON/],
      [["onboard", "show", "9123456780"], /there is no such send or onboarding/],
      [["otp", "nobody", "1234"], /there is no such send or onboarding/],
      [["otp", "nobody", "1234", "--resend"], /not both/],
      [["otp", "nobody"], /none came on standard input/],
    ];
    for (const [args, message] of bad) {
      const ran = await run(args, "");
      expect(ran, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
      expect(ran.stderr).toMatch(message);
      expect(ran.stderr).not.toMatch(/\d{10}/);
    }
  });

  it("cancel one, which is in the audit log's words", async () => {
    const input = JSON.stringify({ mobile: madeUpMobile(2), csp_id: "agent-1" });
    await run(["onboard", "eko.mobile", "--id", "stop", "--wait", "20s", "--input", input]);
    const cancelled = await run(["onboard", "cancel", "stop", "--reason", "asked for"]);
    expect(cancelled.stdout).toMatch(/^state +cancelled$/m);
    expect((await run(["onboard", "cancel", "stop", "--reason", "again"])).code).toBe(2);
  });

  it("say why one does not go on, and not that no worker runs", async () => {
    const input = JSON.stringify({ mobile: madeUpMobile(3), csp_id: "agent-1" });
    await run(["onboard", "eko.mobile", "--id", "first", "--wait", "20s", "--input", input]);
    const second = await run(["onboard", "eko.mobile", "--id", "second", "--wait", "500ms", "--input", input]);
    expect(second.code).toBe(1);
    expect(second.stderr).toBe(
      "satyapan: onboarding second goes on without this command: see `satyapan onboard show second`\n",
    );
    const why = /^why +Cooldown: this person was sent an OTP a short while ago\. It is tried at .*$/m;
    await expect.poll(async () => (await run(["onboard", "show", "second"])).stdout).toMatch(why);
    expect((await run(["onboard", "show", "first"])).stdout).not.toMatch(/^why/m);
  });
});

describe("an onboarding's id in the place of a job's", () => {
  it.each([
    ["show", ["show", "pune"]],
    ["explain", ["explain", "pune"]],
    ["settle", ["settle", "pune", "rejected", "--reason", "none"]],
    ["failed retry", ["failed", "retry", "pune"]],
  ])("has %s say what it is, and which command shows it", async (_name, args) => {
    const input = JSON.stringify({ mobile: madeUpMobile(4), csp_id: "agent-1" });
    await run(["onboard", "eko.mobile", "--id", "pune", "--wait", "20s", "--input", input]);
    const ran = await run(args);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toBe(
      "satyapan: pune is an onboarding, awaiting_otp at its step verify: see `satyapan onboard show pune`; " +
        "the step's job is pune-send\n",
    );
  });

  it("and a job's in the place of an onboarding's", async () => {
    const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(5), csp_id: "agent-1" });
    await bundle.client.waitFor(id, { timeoutMs: 60_000 });
    expect((await run(["onboard", "show", id])).stderr).toBe(
      `satyapan: ${id} is a job of eko.mobile-otp, succeeded, and no onboarding: see \`satyapan show ${id}\`\n`,
    );
  });
});
