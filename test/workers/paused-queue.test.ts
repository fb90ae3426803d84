import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const META = `bull:${QUEUE}:meta`;
const EVENTS = `bull:${QUEUE}:events`;
const input = (person: number) => ({ mobile: madeUpMobile(person), csp_id: "agent-1" });

const readyz = async (port: number) => {
  const reply = await fetch(`http://127.0.0.1:${port}/readyz`);
  return { status: reply.status, text: await reply.text() };
};

/** As `queue.pause()` does it in another tool. */
async function pause({ redis }: WorkerBundle, withEvent = true): Promise<void> {
  const client = redis.client();
  await client.hset(META, "paused", 1);
  await client.del(`bull:${QUEUE}:marker`);
  if (withEvent) await client.xadd(EVENTS, "*", "event", "paused");
}

describe("a queue that another tool paused in BullMQ", () => {
  it("is told by /readyz, explain, show and the metrics, with since when and how to resume, and is resumed", async () => {
    await using bundle = await startWorkerBundle();
    const worker = await bundle.startWorker();
    await expect.poll(async () => (await readyz(worker.metricsPort)).status).toBe(200);
    await pause(bundle);
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    const said =
      /^eko: the queue is paused in BullMQ since \d{4}-\S+Z \(\S+ ago\), by another tool, and no worker takes its jobs; `satyapan provider resume eko` resumes it\n$/;
    await expect
      .poll(async () => await readyz(worker.metricsPort))
      .toEqual({ status: 503, text: expect.stringMatching(said) as string });
    const explained = await bundle.client.explain(id);
    expect(explained).toMatchObject({ cause: "paused", next_attempt_at: null });
    expect(explained?.text).toMatch(
      /^The queue is paused in BullMQ since \S+Z .*`satyapan provider resume eko` resumes it\./,
    );
    expect(await bundle.client.get(id)).toMatchObject({
      state: "waiting",
      reason: expect.stringMatching(/^the queue is paused in BullMQ since/) as string,
    });
    const metrics = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
    expect(metrics).toContain('satyapan_provider_held{provider="eko",reason="paused"} 1');
    expect(bundle.simulator.requests).toHaveLength(0);

    const before = await bundle.client.gates.resume("eko");
    expect(before.queuePause).toMatchObject({ exact: true });
    expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    expect((await bundle.client.gates.read("eko")).queuePause).toBeNull();
    await expect.poll(async () => (await readyz(worker.metricsPort)).status).toBe(200);
    await expect(bundle.client.gates.resume("eko")).rejects.toMatchObject({
      message: "eko is not held, there is nothing to resume",
    });
  });

  it("is told since when it was seen, where BullMQ's events do not tell, and a later pause has its own time", async () => {
    await using bundle = await startWorkerBundle();
    await pause(bundle, false);
    const { queuePause, now } = await bundle.client.gates.read("eko");
    expect(queuePause?.exact).toBe(false);
    expect(Math.abs((queuePause?.since ?? 0) - now)).toBeLessThan(2_000);
    expect((await bundle.client.gates.read("eko")).queuePause).toEqual(queuePause);
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    expect((await bundle.client.explain(id))?.text).toMatch(
      /is paused in BullMQ since \S+Z \(\S+ ago\) at the latest,/,
    );
    await bundle.client.gates.resume("eko");
    expect((await bundle.client.gates.read("eko")).queuePause).toBeNull();
    await pause(bundle);
    expect((await bundle.client.gates.read("eko")).queuePause).toMatchObject({ exact: true });
  });
});
