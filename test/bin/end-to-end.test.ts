import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { identityOf } from "../../simulator/identity.ts";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { everythingIn } from "../support/redis-content.ts";
import { startTestRedis } from "../support/redis.ts";
import { bundleEnv } from "../support/worker.ts";

const MAIN = fileURLToPath(new URL("../../bin/main.ts", import.meta.url));
const PENDING_MS = 1_500;

interface Env {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** A worker process; resolves when it takes jobs. */
async function startWorker({ env, cwd }: Env) {
  const child = spawn(process.execPath, [MAIN, "worker"], { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const stdout = text(child.stdout);
  const { promise: ready, resolve } = Promise.withResolvers<number>();
  createInterface(child.stderr).on("line", (line) => {
    lines.push(line);
    const { msg, metrics_port } = JSON.parse(line) as { msg: string; metrics_port?: number };
    if (msg === "worker ready") resolve(metrics_port ?? 0);
  });
  const stop = async (): Promise<string> => {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const [code] = (await exited) as [number];
    expect(code).toBe(0);
    return [...lines, await stdout].join("\n");
  };
  return { metricsPort: await ready, stop, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

/** One command in a process of its own: its exit code and everything it printed. */
async function satyapan({ env, cwd }: Env, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await exited) as [number];
  return { code, stdout, stderr };
}

describe("the main job, through processes of its own", () => {
  it("waits a 409 out, verifies, and leaves nothing personal in Redis, logs, metrics or output", async () => {
    await using redis = await startTestRedis();
    await using simulator = await startSimulator();
    const cwd = await mkdtemp(join(tmpdir(), "satyapan-test-"));
    const env = {
      ...bundleEnv(simulator, redis.url),
      DEEPVUE_PENDING_DELAYS: `${PENDING_MS}ms`,
      LOG_LEVEL: "trace",
    };
    const place = { env, cwd };
    using worker = await startWorker(place);

    const aadhaar = madeUpAadhaar(7, "409");
    const mobile = madeUpMobile(7);
    const planted = { name: "Zyxwvut Plantedname", dob: "1971-03-19", address: "77 Planted Lane" };
    const printed: string[] = [];
    const submit = async (operation: string, input: unknown, ...more: string[]) => {
      const json = JSON.stringify(input);
      const ran = await satyapan(place, "submit", operation, "--json", "--wait", "2m", "--input", json, ...more);
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
      place,
      "submit",
      "deepvue.aadhaar-otp",
      "--input",
      JSON.stringify({ aadhaar, purpose: aadhaar }),
    );
    expect(refused.code).toBe(2);
    const shown = await satyapan(place, "show", sent.record.id);
    printed.push(refused.stdout, refused.stderr, shown.stdout, shown.stderr);

    const metrics = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
    const logs = await worker.stop();
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
    await rm(cwd, { recursive: true, force: true });
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
