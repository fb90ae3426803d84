import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { paceOf } from "../../../src/limits/pace.ts";
import { CONSENT, startClientBundle } from "../../support/client.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const META = "bull:{eko-0}:meta";

/** What BullMQ has to be told of so many calls a second. */
function paceOfQuota(calls: number): string[] {
  const { max, ms } = paceOf([{ max: calls, ms: 1_000 }]);
  return [String(max), String(ms)];
}

function mobileInput(index: number, ending = "000") {
  return { mobile: madeUpMobile(index, ending), csp_id: "agent1" };
}

describe("quotas", () => {
  it("hold every call at 0, with the reason in the record, and go on without a restart when they are raised", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    await bundle.client.gates.setQuota("eko", "0");
    const { id } = await bundle.client.submit("eko.mobile-otp", mobileInput(1));
    await expect.poll(async () => (await bundle.client.get(id))?.state).toBe("waiting");
    const held = await bundle.client.get(id);
    expect(held).toMatchObject({
      reason: expect.stringMatching(/^quota: it is 0/) as string,
      next_attempt_at: null,
      attempts: [],
    });
    expect(bundle.simulator.requests).toHaveLength(0);
    await bundle.client.gates.setQuota("eko", "5/1s,100/1m");
    expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    const gate = await bundle.client.gates.read("eko");
    expect(gate.quotaSetByHand).toBe(true);
    expect(gate.windows).toMatchObject([
      { max: 5, ms: 1_000 },
      { max: 100, ms: 60_000, used: 1 },
    ]);
  });

  it("set by hand outlive a worker's start, change how fast jobs are fetched, and are reset to the settings", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "7/1s" } });
    await bundle.startWorker();
    const redis = bundle.redis.client();
    expect(await redis.hmget(META, "max", "duration")).toEqual(paceOfQuota(7));
    await bundle.client.gates.setQuota("eko", "50/1s");
    expect(await redis.hmget(META, "max", "duration")).toEqual(paceOfQuota(50));
    await bundle.startWorker();
    expect((await bundle.client.gates.read("eko")).quota).toEqual([{ max: 50, ms: 1_000 }]);
    expect(await redis.hmget(META, "max", "duration")).toEqual(paceOfQuota(50));
    expect(await bundle.client.gates.resetQuota("eko")).toEqual([{ max: 7, ms: 1_000 }]);
    expect(await redis.hmget(META, "max", "duration")).toEqual(paceOfQuota(7));
    expect((await bundle.client.gates.read("eko")).quotaSetByHand).toBe(false);
  });

  it("are refused where they are malformed, and nothing changes", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.gates.setQuota("eko", "3/1s");
    for (const windows of ["", "soon", "1/1s,0/1m", "5/1s,3/1m", "1/1s,2/1s", "-1/1s", "1/0s"]) {
      const setting = bundle.client.gates.setQuota("eko", windows);
      await expect(setting).rejects.toMatchObject({
        code: ErrorCode.BAD_INPUT,
        message: expect.stringMatching(/^the quota /) as string,
      });
    }
    expect((await bundle.client.gates.read("eko")).quota).toEqual([{ max: 3, ms: 1_000 }]);
  });
});

describe("resume", () => {
  it("lifts the hold of a refused credential, and its jobs go on at once", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const input = { aadhaar: madeUpAadhaar(1, "401"), purpose: "Sender onboarding", consent: CONSENT };
    const { id } = await bundle.client.submit("deepvue.aadhaar-otp", input);
    await expect.poll(async () => (await bundle.client.gates.read("deepvue")).holds).toHaveLength(1);
    const before = await bundle.client.gates.resume("deepvue");
    expect(before.holds).toMatchObject([{ scope: null }]);
    expect((await bundle.client.gates.read("deepvue")).holds).toEqual([]);
    expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
  });

  it("lifts the hold of one agent alone", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    await bundle.client.submit("eko.mobile-otp", mobileInput(1, "319"));
    await expect.poll(async () => (await bundle.client.gates.read("eko")).holds).toHaveLength(1);
    const scope = (await bundle.client.gates.read("eko")).holds[0]?.scope ?? "";
    expect(scope).toMatch(/^(?:user_code|initiator_id):/);
    await expect(bundle.client.gates.resume("eko")).rejects.toMatchObject({
      message: `eko is not held, there is nothing to resume; ${scope} is (name it with --scope)`,
    });
    await bundle.client.gates.resume("eko", scope);
    expect((await bundle.client.gates.read("eko")).holds).toEqual([]);
  });

  it("refuses what is not held, and a scope that is none", async () => {
    await using bundle = await startClientBundle();
    for (const [scope, message] of [
      [null, "eko is not held, there is nothing to resume"],
      ["user_code:X", "user_code:X of eko is not held, there is nothing to resume"],
      ["9876501234", "scope: must be user_code:VALUE"],
      ["operation:eko.nothing", "unknown operation eko.nothing"],
    ] as const) {
      const resuming = bundle.client.gates.resume("eko", scope);
      await expect(resuming).rejects.toMatchObject({ message: expect.stringContaining(message) as string });
    }
  });
});
