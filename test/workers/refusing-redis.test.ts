import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const REFUSALS = [
  ["NOREPLICAS", ["min-replicas-to-write", "1"], ["min-replicas-to-write", "0"]],
  ["OOM", ["maxmemory", "1mb"], ["maxmemory", "0"]],
] as const;

/** How long a call takes, in ms: enough to begin all, and to change Redis, on a busy machine. */
const CALL_MS = 8_000;
/** How long Redis goes on refusing writes once an outcome could not be written, in ms: several tries. */
const REFUSED_MS = 2_500;
const input = (person: number) => ({ mobile: madeUpMobile(person), csp_id: "agent-1" });

async function ask(port: number, path: string): Promise<{ status: number; text: string }> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: reply.status, text: await reply.text() };
}

/** Jobs whose calls have arrived and are not answered yet. */
async function inTheAir(bundle: WorkerBundle, count: number): Promise<string[]> {
  const inputs = Array.from({ length: count }, (_, n) => input(n));
  const jobs = await bundle.client.submitMany("eko.mobile-otp", inputs, { lane: "interactive" });
  await expect.poll(() => bundle.simulator.stats().open).toBe(count);
  return jobs.map(({ id }) => id);
}

describe("a Redis that refuses writes while calls are in the air", () => {
  it.each(REFUSALS)("by %s costs no outcome, no job and no second call, and is said once", async (word, on, off) => {
    await using bundle = await startWorkerBundle({ simulator: { latencyMs: { min: CALL_MS, max: CALL_MS } } });
    const worker = await bundle.startWorker();
    const redis = bundle.redis.client();
    const ids = await inTheAir(bundle, 5);
    await redis.config("SET", ...on);
    const before = bundle.log.length;
    await expect
      .poll(async () => await ask(worker.metricsPort, "/readyz"))
      .toEqual({
        status: 503,
        text: expect.stringMatching(new RegExp(`cannot be written: redis refuses them \\(${word}\\)`)) as string,
      });
    expect((await ask(worker.metricsPort, "/metrics")).text).toMatch(/^satyapan_closings_unwritten [1-5]$/m);
    // oxlint-disable-next-line vitest/no-conditional-tests -- the time is part of the case: how long Redis refuses.
    await sleep(REFUSED_MS);
    const said = bundle.log.slice(before);
    expect(said.filter((line) => line.includes("outcomes cannot be written"))).toHaveLength(1);
    expect(said.length).toBeLessThan(20);
    await redis.config("SET", ...off);
    for (const id of ids) {
      expect(await bundle.client.waitFor(id)).toMatchObject({
        ...{ state: "succeeded", attempts: [{ n: 1, outcome: { kind: "succeeded" } }] },
      });
    }
    expect(bundle.simulator.requests).toHaveLength(5);
    await expect.poll(async () => (await ask(worker.metricsPort, "/readyz")).status).toBe(200);
    // A new label set is 0 in the first scrape that has it.
    await expect
      .poll(async () => {
        const { text } = await ask(worker.metricsPort, "/metrics");
        const counted = [...text.matchAll(/^satyapan_calls_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
        return counted.reduce((sum, count) => sum + count, 0);
      })
      .toBe(5);
  });

  it("lets a stop that cannot wait say what is lost, and no number", async () => {
    await using bundle = await startWorkerBundle({
      simulator: { latencyMs: { min: CALL_MS, max: CALL_MS } },
      env: { SHUTDOWN_GRACE: "10s", CALL_TIMEOUT: "9s" },
    });
    const worker = await bundle.startWorker();
    const redis = bundle.redis.client();
    const [id] = await inTheAir(bundle, 1);
    await redis.config("SET", "min-replicas-to-write", "1");
    await expect.poll(() => bundle.log.join("")).toContain("outcomes cannot be written");
    expect(await worker.stop()).toBe(false);
    const lines = bundle.log.filter((line) => line.includes("outcome lost"));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ job: id, attempt: 1, outcome: "succeeded", level: "error" });
    expect(lines[0]).not.toContain(madeUpMobile(0));
    await redis.config("SET", "min-replicas-to-write", "0");
  });
});

describe("a worker that is started against a Redis that refuses writes", () => {
  it("says the one sentence that `submit` says, and leaves nothing running", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.redis.client().config("SET", "min-replicas-to-write", "1");
    await expect(bundle.startWorker()).rejects.toMatchObject({
      name: "SatyapanError",
      message: expect.stringMatching(/^Redis refused a command \(NOREPLICAS\): too few replicas/) as string,
    });
    await expect(bundle.client.submit("eko.mobile-otp", input(1))).rejects.toThrow(
      /^Redis refused a command \(NOREPLICAS\)/,
    );
    await bundle.redis.client().config("SET", "min-replicas-to-write", "0");
  });
});
