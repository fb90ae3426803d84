import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { HeldUp } from "../support/held-up.ts";
import { startWorkerBundle } from "../support/worker.ts";

/** The ramp's distances are measured to this, in ms. */
const MOST_HELD_UP_MS = 20;
const CONTROL = "satyapan:{eko-0}:control";

describe("the breaker", () => {
  it("opens soon after the provider goes, wastes at most ten calls, fails nobody, and resumes by itself at a ramp", async (context) => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "50/1s" } });
    const inputs = Array.from({ length: 300 }, (_, index) => ({ customer_id: madeUpMobile(index) }));
    const submitted = await bundle.client.submitMany("eko.dmt-levin.sender", inputs, { lane: "interactive" });
    for (let n = 0; n < 4; n += 1) await bundle.startWorker();
    await expect.poll(() => bundle.simulator.requests.length).toBeGreaterThan(60);
    const port = Number(new URL(bundle.simulator.url).port);
    await bundle.simulator.close();
    const downAt = Date.now();
    using heldUp = new HeldUp();
    let tries = 0;
    await using down = createServer((socket) => {
      tries += 1;
      socket.resetAndDestroy();
    }).listen(port, "127.0.0.1");
    await once(down, "listening");
    const redis = bundle.redis.client();
    await expect.poll(async () => await redis.hget(CONTROL, "breaker"), { interval: 20 }).toBe("open");
    const openedAfterMs = Date.now() - downAt;
    await sleep(1_000);
    const waiting = await Promise.all(submitted.map(async ({ id }) => await bundle.client.get(id)));
    expect(waiting.filter((record) => record?.state === "failed" || record?.state === "unknown")).toEqual([]);
    // The queue is closed, so most were never looked at; once one is, its record tells.
    await redis.del("bull:{eko-0}:limiter");
    const reasons = async () =>
      await Promise.all(submitted.map(async ({ id }) => (await bundle.client.get(id))?.reason));
    await expect.poll(reasons).toContain("breaker: the provider is out of order");
    await down[Symbol.asyncDispose]();
    await using back = await startSimulator({ port });
    await expect.poll(() => back.requests.length, { interval: 20 }).toBeGreaterThan(5);
    for (const { id } of submitted) {
      expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    }
    // The claims about time come last: whatever the machine does, those above hold.
    heldUp.skipIfLonger(MOST_HELD_UP_MS, context);
    expect(openedAfterMs).toBeLessThan(5_000);
    expect(tries).toBeLessThanOrEqual(10);
    const times = back.requests.slice(0, 4).map(({ at }) => at);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(500 - MOST_HELD_UP_MS);
    expect((times[3] ?? 0) - (times[2] ?? 0)).toBeGreaterThanOrEqual(250 - MOST_HELD_UP_MS);
  });
});
