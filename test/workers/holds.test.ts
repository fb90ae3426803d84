import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { GateControl } from "../../src/limits/control.ts";
import { startWorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const inputs = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, index) => ({ mobile: madeUpMobile(index), csp_id: "agent-1", ...more }));

describe("a refused credential", () => {
  it("holds every job at once, fails none, and goes on when it is resumed by hand", async () => {
    await using bundle = await startWorkerBundle({ simulator: { faults: [{ fault: "bad-credentials" }] } });
    const submitted = await bundle.client.submitMany("eko.mobile-otp", inputs(30), { lane: "interactive" });
    await bundle.startWorker({ worker: { ...bundle.settings.worker, concurrency: 1 } });
    const control = new GateControl(bundle.redis.client());
    await expect.poll(async () => (await control.read(QUEUE)).holds.length).toBe(1);
    const refused = bundle.simulator.requests.length;
    expect(refused).toBe(1);
    bundle.simulator.configure({ faults: [] });
    expect(await control.resume(QUEUE, null)).toBe(true);
    for (const { id } of submitted) {
      expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    }
  });

  it("is tried by one job after HOLD_PROBE, which lifts it", async () => {
    await using bundle = await startWorkerBundle({
      simulator: { faults: [{ fault: "bad-credentials", times: 2 }] },
      env: { HOLD_PROBE: "700ms" },
    });
    const submitted = await bundle.client.submitMany("eko.mobile-otp", inputs(10), { lane: "interactive" });
    await bundle.startWorker({ worker: { ...bundle.settings.worker, concurrency: 1 } });
    for (const { id } of submitted) {
      expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    }
    const refused = bundle.simulator.requests.filter(({ fault }) => fault !== null);
    expect(refused).toHaveLength(2);
    expect((refused[1]?.at ?? 0) - (refused[0]?.at ?? 0)).toBeGreaterThanOrEqual(690);
    expect((bundle.simulator.requests[2]?.at ?? 0) - (refused[1]?.at ?? 0)).toBeGreaterThanOrEqual(690);
  });
});

describe("a refused agent (346)", () => {
  it("is held alone, until it is resumed", async () => {
    await using bundle = await startWorkerBundle({
      simulator: { userCodes: ["20810200", "20810201"], faults: [{ fault: "agent-not-allowed", match: "345" }] },
    });
    await bundle.startWorker();
    const customer = (index: number, ending: string, userCode: string) => ({
      customer_id: madeUpMobile(index, ending),
      user_code: userCode,
    });
    const refused = await bundle.client.submit("eko.dmt-levin.sender", customer(1, "345", "20810200"));
    await expect.poll(async () => (await bundle.client.get(refused.id))?.reason).toMatch(/^held: /);
    const held = await bundle.client.submit("eko.dmt-levin.sender", customer(2, "000", "20810200"));
    const free = await bundle.client.submit("eko.dmt-levin.sender", customer(3, "000", "20810201"));
    expect((await bundle.client.waitFor(free.id)).state).toBe("succeeded");
    await expect.poll(async () => (await bundle.client.get(held.id))?.reason).toMatch(/^held: /);
    expect((await bundle.client.get(held.id))?.attempts).toEqual([]);
    const control = new GateControl(bundle.redis.client());
    expect((await control.read(QUEUE)).holds.map(({ scope }) => scope)).toEqual(["user_code:20810200"]);
    expect(await control.resume(QUEUE, "user_code:20810200")).toBe(true);
    const later = await bundle.client.submit("eko.dmt-levin.sender", customer(4, "000", "20810200"));
    expect((await bundle.client.waitFor(later.id)).state).toBe("succeeded");
  });
});
