import { describe, expect, it } from "vitest";
import type { FaultName } from "../../simulator/fault.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { bullmqJobId, bullmqPrefix } from "../../src/queues/names.ts";
import { newRunner } from "../support/runner.ts";
import { startWorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const SOON = { interval: 20 };

describe("a job whose worker was taken for lost, and that another worker settled and took out of the queue", () => {
  it.each<[string, FaultName]>([
    ["a 429", "throttled"],
    ["a refusal of the credential", "bad-credentials"],
  ])("is queued again where its true outcome was %s, and is done when that is over", async (_, fault) => {
    await using bundle = await startWorkerBundle({
      simulator: {
        latencyMs: { min: 3_000, max: 3_000 },
        faults: [{ operation: "eko.mobile-otp", fault, times: 1 }],
      },
      env: { HOLD_PROBE: "1s" },
    });
    await using stack = new AsyncDisposableStack();
    const { client, simulator } = bundle;
    const redis = bundle.redis.client();
    const other = await newRunner(bundle, stack);
    await bundle.startWorker();
    const { id } = await client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
    await expect.poll(() => simulator.requests.length, SOON).toBe(1);
    expect(await other.run(id, Date.now())).toEqual({ kind: "done" });
    expect((await client.get(id))?.state).toBe("unknown");
    // As the other's queue ends a job that is done.
    const base = bullmqPrefix(QUEUE);
    const jobId = bullmqJobId(id);
    await redis.del(`${base}${jobId}`, `${base}${jobId}:lock`);
    await redis.lrem(`${base}active`, 0, jobId);
    simulator.configure({ latencyMs: { min: 0, max: 0 } });
    await expect.poll(async () => (await client.get(id))?.state, SOON).toBe("succeeded");
    expect(simulator.requests).toHaveLength(2);
  });
});
