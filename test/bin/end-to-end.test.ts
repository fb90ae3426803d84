import { describe, expect, it } from "vitest";
import { identityOf } from "../../simulator/identity.ts";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { everythingIn } from "../support/redis-content.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { bundleEnv } from "../support/worker.ts";

const PENDING_MS = 1_500;

describe("the main job, through processes of its own", () => {
  it("waits a 409 out, verifies, and leaves nothing personal in Redis, logs, metrics or output", async () => {
    await using redis = await startTestRedis();
    await using simulator = await startSimulator();
    await using dir = await makeTempDir();
    const env = {
      ...bundleEnv(simulator, redis.url),
      DEEPVUE_PENDING_DELAYS: `${PENDING_MS}ms`,
      LOG_LEVEL: "trace",
    };
    const place = { env, cwd: dir.path };
    await using worker = new RunningCommand(["worker"], place);
    await worker.said("worker ready");
    const metricsPort = /\d+/.exec(await worker.said(/"metrics_port":\d+/))?.[0];

    const aadhaar = madeUpAadhaar(7, "409");
    const mobile = madeUpMobile(7);
    const planted = { name: "Zyxwvut Plantedname", dob: "1971-03-19", address: "77 Planted Lane" };
    const printed: string[] = [];
    const submit = async (operation: string, input: unknown, ...more: string[]) => {
      const json = JSON.stringify(input);
      const ran = await satyapan(["submit", operation, "--json", "--wait", "2m", "--input", json, ...more], place);
      printed.push(ran.stdout, ran.stderr);
      return {
        code: ran.code,
        record: JSON.parse(ran.stdout) as { id: string; state: string; attempts: { outcome: { kind: string } }[] },
      };
    };

    // Deepvue: 409, waited out, sent; a wrong code, then the right one.
    const consent = { reference: "C-1", method: "signed form", obtained_at: "2026-01-15T10:00:00+05:30" };
    const sent = await submit("deepvue.aadhaar-otp", { aadhaar, purpose: "Sender onboarding", consent });
    expect(sent).toMatchObject({ code: 0, record: { state: "succeeded" } });
    expect(sent.record.attempts.map(({ outcome }) => outcome.kind)).toEqual(["pending", "succeeded"]);
    const [conflict, success] = simulator.requests;
    const waited = (success?.at ?? 0) - (conflict?.at ?? 0);
    expect(waited).toBeGreaterThanOrEqual(PENDING_MS);
    expect(waited).toBeLessThan(PENDING_MS + 1_500);

    const { otp } = await simulator.waitForOtp(aadhaar);
    const wrong = `${otp.slice(0, 5)}${(Number(otp[5]) + 1) % 10}`;
    expect(await submit("deepvue.aadhaar-otp.verify", { of: sent.record.id, otp: wrong })).toMatchObject({
      code: 1,
      record: { state: "rejected" },
    });
    expect(await submit("deepvue.aadhaar-otp.verify", { of: sent.record.id, otp })).toMatchObject({
      code: 0,
      record: { state: "succeeded" },
    });

    // Eko: a mobile OTP, and a sender with name, birth date and address.
    const mobileSent = await submit("eko.mobile-otp", { mobile, csp_id: mobile }, "--id", "mobile-1");
    const mobileOtp = (await simulator.waitForOtp(mobile)).otp;
    expect(await submit("eko.mobile-otp.verify", { of: mobileSent.record.id, otp: mobileOtp })).toMatchObject({
      code: 0,
    });
    const sender = { customer_id: mobile, name: planted.name, dob: planted.dob, residence_address: planted.address };
    expect(await submit("eko.dmt-levin.sender.create", sender)).toMatchObject({ code: 0 });
    // Refused at the door: what is wrong is said, what was given is not.
    const refused = await satyapan(
      ["submit", "deepvue.aadhaar-otp", "--input", JSON.stringify({ aadhaar, purpose: aadhaar })],
      place,
    );
    expect(refused.code).toBe(2);
    const shown = await satyapan(["show", sent.record.id], place);
    printed.push(refused.stdout, refused.stderr, shown.stdout, shown.stderr);

    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const stopped = await worker.stop();
    expect(stopped.code).toBe(0);
    const logs = stopped.stderr + stopped.stdout;
    const places = { redis: await everythingIn(redis), logs, metrics, output: printed.join("\n") };
    const verified = simulator.requests.filter(({ operation }) => operation === "deepvue.aadhaar-otp.verify");
    expect(verified).toHaveLength(2);
    const secrets = [aadhaar, otp, wrong, mobile, mobileOtp, ...Object.values(planted), "Zyxwvut", "Plantedname"];
    const { name, photo } = identityOf(aadhaar); // what the provider told of the person
    secrets.push(name, photo);
    for (const [where, content] of Object.entries(places)) {
      expect(content.length, `${where} was looked at`).toBeGreaterThan(500);
      const found = secrets.filter((secret) => content.includes(secret));
      expect(found, `in clear in ${where}`).toEqual([]);
    }
  });

  it("would find what is planted in a key, a value, the events or the AOF", async () => {
    await using redis = await startTestRedis();
    const client = redis.client();
    await client.hset("a-hash", "field", "in-a-value");
    await client.set("in-a-key", "1");
    await client.xadd("bull:{eko-0}:events", "*", "event", "in-the-events");
    await client.set("gone", "in-the-aof");
    await client.del("gone");
    const found = await everythingIn(redis);
    for (const planted of ["in-a-value", "in-a-key", "in-the-events", "in-the-aof"]) expect(found).toContain(planted);
  });
});
