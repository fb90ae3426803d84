import { describe, expect, it } from "vitest";
import { formatQuotas } from "../../producers/report/format-gate.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { queuePrefix } from "../../src/queues/names.ts";
import { startWorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const CONTROL = `${queuePrefix(QUEUE)}control`;
const SOON = { interval: 20 };
const input = (person: number) => ({ mobile: madeUpMobile(person), csp_id: "agent-1" });

/** Fields that the gate's hash is broken with, by what is named then; `null`: its key holds no hash. */
const BROKEN: readonly (readonly [string, Readonly<Record<string, string>> | null])[] = [
  ["quota", { quota: "garbled" }],
  ["quota", { quota: "1000:1000,x" }],
  ["pause_until", { pause_until: "soon" }],
  ["factor", { factor: "nan" }],
  ["full", { full: "x" }],
  ["hold", { hold: "403" }],
  ["hold:user_code:A", { "hold:user_code:A": "x", scopes: "1" }],
  ["breaker", { breaker: "ajar" }],
  ["control", null],
];

describe("a gate that cannot be read", () => {
  it.each(BROKEN)(
    "(%s: %j) lets nobody call, is said with cause and cure, and is mended by hand",
    async (named, fields) => {
      await using bundle = await startWorkerBundle();
      const { client, simulator, log } = bundle;
      const redis = bundle.redis.client();
      const { metricsPort } = await bundle.startWorker();
      if (fields === null) await redis.set(CONTROL, "no hash");
      else await redis.hset(CONTROL, fields);
      const { id } = await client.submit("eko.mobile-otp", input(1));
      const cure = `what eko's gate knows in Redis cannot be read (${named}), so nobody calls: \`satyapan provider resume eko\``;
      await expect
        .poll(async () => (await client.get(id))?.reason, SOON)
        .toMatch(/^held: what (the gate knows|eko's gate knows in Redis) cannot be read/);
      expect((await client.explain(id))?.text.toLowerCase()).toContain(cure.toLowerCase());
      const ready = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
      expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining(cure)]);
      expect(formatQuotas([{ provider: "eko", gate: await client.gates.read("eko") }])).toContain(cure);
      const said = () => log.filter((line) => line.includes("cannot be read") && line.includes('"code":"unreadable"'));
      await expect.poll(said, SOON).toHaveLength(1);
      expect(simulator.requests).toEqual([]);
      await client.gates.resume("eko");
      expect((await client.waitFor(id, { timeoutMs: 15_000 })).state).toBe("succeeded");
      await expect.poll(async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status, SOON).toBe(200);
      expect(said()).toHaveLength(1);
      expect(log.filter((line) => /job threw|worker error/.test(line))).toEqual([]);
    },
  );

  it("loses no outcome of a call that was under way, and a worker starts beside it", async () => {
    await using bundle = await startWorkerBundle({ simulator: { latencyMs: { min: 1_000, max: 1_000 } } });
    const { client, simulator } = bundle;
    await bundle.startWorker();
    const { id } = await client.submit("eko.mobile-otp", input(1));
    await expect.poll(() => simulator.requests.length, SOON).toBe(1);
    await bundle.redis.client().set(CONTROL, "no hash");
    expect((await client.waitFor(id, { timeoutMs: 15_000 })).state).toBe("succeeded");
    await bundle.startWorker();
    expect((await client.gates.read("eko")).broken).toBe("control");
  });
});
