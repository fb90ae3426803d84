import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outboxKey } from "../../../src/privacy/audit/outbox.ts";
import { queueOf } from "../../../src/queues/names.ts";
import {
  AADHAAR,
  AADHAAR_INPUT,
  type ClientBundle,
  MOBILE,
  MOBILE_INPUT,
  startClientBundle,
} from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

let bundle: ClientBundle;
beforeAll(async () => {
  bundle = await startClientBundle();
  const { client } = bundle;
  await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "sms" });
  await client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "aadhaar" });
  await client.submit("eko.mobile-otp", { ...MOBILE_INPUT, mobile: "9123456781" }, { id: "another" });
  const person = {
    customer_id: MOBILE,
    aadhaar: AADHAAR,
    name: "Asha",
    dob: "1990-01-31",
    residence_address: "1 Road",
  };
  await client.onboard("eko.dmt-levin", person, { id: "levin" });
});
afterAll(async () => await bundle[Symbol.asyncDispose]());

describe("find", () => {
  it("tells all jobs and onboardings of a person, by either number, and those of no other", async () => {
    const { client } = bundle;
    const ids = async (number: string) => (await client.find(number)).map(({ kind, id }) => `${kind} ${id}`).toSorted();
    expect(await ids(MOBILE)).toEqual(["job sms", "onboarding levin"]);
    expect(await ids(` ${AADHAAR.slice(0, 4)} ${AADHAAR.slice(4, 8)}-${AADHAAR.slice(8)} `)).toEqual([
      ...["job aadhaar", "onboarding levin"],
    ]);
    expect(await ids("9000000000")).toEqual([]);
    expect(await client.find(MOBILE, { since: Date.now() + 60_000 })).toEqual([]);
  });

  it("is in the audit log, by the hash alone", async () => {
    const entries = await bundle.redis.client().xrange(outboxKey(queueOf("eko")), "-", "+");
    const finds = entries.map(([, [, text = ""]]) => text).filter((text) => text.includes('"kind":"find"'));
    expect(finds.length).toBeGreaterThan(0);
    expect(finds.join("")).not.toMatch(/\d{10}/);
  });

  it("takes the number from standard input alone, and repeats nothing that is none", async () => {
    await using dir = await makeTempDir();
    const { subjectKey } = bundle.settings;
    const env = { REDIS_URL: bundle.redis.url, SATYAPAN_SUBJECT_KEY: subjectKey.open() };
    const keys = { SATYAPAN_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 3).toString("base64")}` };
    const run = async (args: string[], stdin: string) =>
      await satyapan(["find", ...args], { cwd: dir.path, env: { ...env, ...keys }, stdin });
    const found = await run(["--json"], `${MOBILE}\n`);
    expect(found).toMatchObject({ code: 0, stderr: "" });
    expect((JSON.parse(found.stdout) as { id: string }[]).map(({ id }) => id).toSorted()).toEqual(["levin", "sms"]);
    const bad = await run([], "12345678901\n");
    expect(bad).toMatchObject({ code: 2, stdout: "" });
    expect(bad.stderr).toMatch(/must be an Aadhaar number of 12 digits/);
    expect(bad.stderr).not.toContain("12345678901");
    expect((await run([MOBILE], "")).code).toBe(2);
  });
});
