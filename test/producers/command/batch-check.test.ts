import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLOWS } from "../../../src/flows/flows.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { startClientBundle, testKeys } from "../../support/client.ts";
import { RunningCommand, satyapan } from "../../support/command.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";
import { CLOSED_PORT } from "./submit-files.ts";

const [ONE, TWO] = [madeUpMobile(1), madeUpMobile(2)];
let dir: TempDir;
beforeAll(async () => {
  dir = await makeTempDir();
  const good = `Ref,Mobile No,csp_id,Branch\nR-1,${ONE},a1,North\nR-2,${TWO},a1,South\n`;
  writeFileSync(join(dir.path, "good.csv"), good);
  writeFileSync(join(dir.path, "bad.csv"), `${good}R-3,+91${ONE},a1,\nR-4,${ONE},a1,\n`);
});
afterAll(async () => await dir[Symbol.asyncDispose]());

const ARGS = ["--operation", "eko.mobile-otp"];

describe("satyapan batch check", () => {
  it.concurrent(
    "says what columns are, what to mend and what it takes, without Redis and without a number",
    async () => {
      const env = { ...CLOSED_PORT, CALL_PRICES: "eko.mobile-otp=0.25" };
      const ran = await satyapan(["batch", "check", "bad.csv", ...ARGS], { cwd: dir.path, env });
      expect(ran).toMatchObject({ code: 2, stderr: "" });
      expect(ran.stdout).toContain("bad.csv: 4 rows for operation eko.mobile-otp: 2 good, 1 bad, 1 for a person");
      expect(ran.stdout).toContain("Mobile No   mobile\n");
      expect(ran.stdout).toContain(
        "must be a mobile number: 10 digits, the first 6 to 9, no country code\n    line 4 `+XXXXXXXXXXXX`\n",
      );
      expect(ran.stdout).toContain("row 4 (as row 1)");
      expect(ran.stdout).toContain("what else is queued is not known");
      expect(ran.stdout).toContain("has one of these persons already is not known");
      expect(ran.stdout).toContain("cost    ₹0.5\n");
      for (const number of [ONE, TWO]) expect(ran.stdout).not.toContain(number);
    },
  );

  it.concurrent("knows what else waits at the provider, and its quota in force", async () => {
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    await bundle.client.submit("eko.mobile-otp", { mobile: ONE, csp_id: "a1" });
    await bundle.client.gates.setQuota("eko", "1/1m");
    const env = { ...keys, REDIS_URL: bundle.redis.url };
    const args = ["batch", "check", "good.csv", ...ARGS, "--json"];
    const { code, stdout } = await satyapan(args, { cwd: dir.path, env });
    expect(code).toBe(0);
    const { estimate, ...rest } = JSON.parse(stdout) as { estimate: Record<string, unknown> };
    expect(rest).toMatchObject({
      file: "good.csv",
      operation: "eko.mobile-otp",
      rows: 2,
      good: 2,
      bad: 0,
      problems: [],
    });
    expect(estimate).toMatchObject({
      calls: { least: 2, most: 2 },
      quota: "1/1m",
      queued_before: 1,
      cost_rupees: null,
    });
  });

  it.concurrent("says whose persons a batch or an onboarding has, and starts nothing", async () => {
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    const { client } = bundle;
    await client.onboard("eko.mobile", { mobile: ONE, csp_id: "a1" }, { id: "asha" });
    const env = { ...keys, REDIS_URL: bundle.redis.url };
    const flow = ["good.csv", "--flow", "eko.mobile"];
    const before = await bundle.redis.client().dbsize();
    const one = await satyapan(["batch", "check", ...flow], { cwd: dir.path, env });
    expect(one.stdout).toContain("1 good, 0 bad, 0 for a person of an earlier row, 1 for a person whom a batch");
    expect(one.stdout).toContain("so not called: row 1 (the same person as onboarding asha)\n");
    expect(one.stdout).toContain("  SMS     1\n");
    expect(await bundle.redis.client().dbsize()).toBe(before);
    const submitted = await satyapan(["batch", "submit", ...flow, "--json"], { cwd: dir.path, env });
    const { id } = JSON.parse(submitted.stdout) as { id: string };
    const both = await satyapan(["batch", "check", ...flow, "--json"], { cwd: dir.path, env });
    expect(JSON.parse(both.stdout)).toMatchObject({
      ...{ good: 0, duplicates: 0, held: 2 },
      held_by: [
        { row: 1, reason: "the same person as onboarding asha" },
        { row: 2, reason: `the same person as row 2 of batch ${id}` },
      ],
    });
    const other = await satyapan(["batch", "check", "good.csv", ...ARGS, "--json"], { cwd: dir.path, env });
    expect(JSON.parse(other.stdout)).toMatchObject({ good: 2, held: 0, held_by: [] });
  });

  it.concurrent.each(FLOWS.map(({ name }) => name))("takes what the template of %s prints", async (flow) => {
    const { stdout } = await satyapan(["batch", "template", flow], { cwd: dir.path });
    const env = { ...CLOSED_PORT, AADHAAR_CHECKSUM: "off" };
    const ran = await satyapan(["batch", "check", "-", "--flow", flow, "--json"], {
      cwd: dir.path,
      env,
      stdin: stdout,
    });
    expect(JSON.parse(ran.stdout)).toMatchObject({ flow, rows: 1, good: 1, problems: [] });
  });

  it.concurrent("takes an operation's, too, from standard input", async () => {
    const { stdout } = await satyapan(["batch", "template", "deepvue.aadhaar-otp"], { cwd: dir.path });
    expect(stdout).toMatch(/^ref,aadhaar,purpose,consent.reference,/);
    const args = ["batch", "check", "-", "--operation", "deepvue.aadhaar-otp"];
    const ran = await satyapan(args, {
      cwd: dir.path,
      env: { ...CLOSED_PORT, AADHAAR_CHECKSUM: "off" },
      stdin: stdout,
    });
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining("1 row for operation") as string });
  });

  it.concurrent.each([
    [["good.csv"], "say what each row is to run, either with --flow NAME or with --operation NAME"],
    [["good.csv", ...ARGS, "--map", "Branch=moble"], "did you mean mobile?"],
    [
      ["good.csv", "--operation", "eko.mobile-otp.verify"],
      "answers an OTP, which does not live as long as a batch may take",
    ],
    [["none.csv", ...ARGS], "the file none.csv does not exist"],
  ])("refuses %j", async (args, message) => {
    const ran = await satyapan(["batch", "check", ...args], { cwd: dir.path, env: CLOSED_PORT });
    expect(ran).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(message) as string });
  });

  it.concurrent("ends at Ctrl-C while it waits for standard input, with nothing said but that", async () => {
    await using running = new RunningCommand(["batch", "check", "-", ...ARGS], { cwd: dir.path, env: CLOSED_PORT });
    running.kill("SIGINT");
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toMatchObject({ stdout: "" });
    expect(code).not.toBe(0);
  });
});
