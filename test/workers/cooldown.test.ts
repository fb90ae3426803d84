import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { Client } from "../../producers/client.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { readTestEnv } from "../support/env.ts";
import { startWorkerBundle } from "../support/worker.ts";

const MOBILE = { mobile: madeUpMobile(1), csp_id: "agent-1" };
const CONSENT = { reference: "C-1", method: "signed form", obtained_at: "2026-01-15T10:00:00+05:30" };

describe("the cooldown of a person", () => {
  it("makes one send of two jobs that two producers submit at the same instant, and the other waits with the reason", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "2s" } });
    await bundle.startWorker();
    await bundle.startWorker();
    const { machine } = readTestEnv();
    const { settings } = bundle;
    const openRedis = async () =>
      await RedisAccess.open({ settings, stateDir: "/nowhere", machine, onError: () => {} });
    await using other = new Client({ tmpDir: tmpdir(), settings, openRedis, actor: "library:test", now: Date.now });
    const submitted = await Promise.all(
      [bundle.client, other].map(async (client) => await client.submit("eko.mobile-otp", MOBILE)),
    );
    const states = async () =>
      (await Promise.all(submitted.map(async ({ id }) => await bundle.client.get(id)))).flatMap((r) => r ?? []);
    await expect
      .poll(async () => (await states()).map(({ state }) => state).toSorted())
      .toEqual(["succeeded", "waiting"]);
    expect(bundle.simulator.outbox).toHaveLength(1);
    expect((await states()).find(({ state }) => state === "waiting")).toMatchObject({
      reason: "cooldown: this person was sent an OTP a short while ago",
      attempts: [],
    });
    for (const { id } of submitted) await bundle.client.waitFor(id);
    const [first, second] = bundle.simulator.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  it("sends no more than OTP_LIMIT in its time, whatever the cooldown allows", async () => {
    await using bundle = await startWorkerBundle({ env: { OTP_COOLDOWN: "0s", OTP_LIMIT: "2/30m" } });
    await bundle.startWorker();
    const records = await Promise.all(
      Array.from({ length: 4 }, async () => await bundle.client.submit("eko.mobile-otp", MOBILE)),
    );
    const states = async () => await Promise.all(records.map(async ({ id }) => (await bundle.client.get(id))?.state));
    await expect
      .poll(async () => Object.groupBy(await states(), (state) => state ?? "missing"))
      .toEqual({ succeeded: ["succeeded", "succeeded"], waiting: ["waiting", "waiting"] });
    expect(bundle.simulator.outbox).toHaveLength(2);
  });

  it("does not count a send that is known not to have gone out", async () => {
    await using bundle = await startWorkerBundle({
      simulator: { faults: [{ fault: "temporary-failure", times: 1 }] },
      env: { CALL_ATTEMPTS: "1" },
    });
    await bundle.startWorker();
    const first = await bundle.client.submit("eko.mobile-otp", MOBILE);
    expect((await bundle.client.waitFor(first.id)).state).toBe("failed");
    const second = await bundle.client.submit("eko.mobile-otp", MOBILE);
    expect((await bundle.client.waitFor(second.id)).state).toBe("succeeded");
  });

  it("does not hold up the job's own next try after a 409", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const input = { aadhaar: madeUpAadhaar(1, "409"), purpose: "Sender onboarding", consent: CONSENT };
    const { id } = await bundle.client.submit("deepvue.aadhaar-otp", input);
    const record = await bundle.client.waitFor(id);
    expect(record.attempts.map(({ outcome }) => outcome?.kind)).toEqual(["pending", "succeeded"]);
  });
});
