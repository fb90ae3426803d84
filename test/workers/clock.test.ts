import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import type { Settings } from "../../src/config/settings.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const AHEAD_MS = 600_000;

/** A worker that calls an Eko whose clock is `aheadMs` ahead of its own; Eko takes a timestamp that is 5 min off. */
async function startShifted(bundle: WorkerBundle, now: () => number, settings: Partial<Settings> = {}) {
  const simulator = await startSimulator({ now });
  const { eko } = bundle.settings;
  if (eko === null) throw new Error("no settings of Eko");
  const worker = await bundle.startWorker({
    ...settings,
    eko: { ...eko, baseUrl: new URL(simulator.env.EKO_BASE_URL) },
  });
  const run = async (person: number) => {
    const input = { mobile: madeUpMobile(person, "000"), csp_id: madeUpMobile(900) };
    const { id } = await bundle.client.submit("eko.mobile-otp", input);
    return await bundle.client.waitFor(id);
  };
  const offset = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
    return Number(/^satyapan_clock_offset_seconds\{provider="eko"\} (\S+)$/m.exec(text)?.[1]);
  };
  return { simulator, run, offset };
}

const driftLines = (bundle: WorkerBundle) => bundle.log.filter((line) => line.includes("our clock"));

it("mends by itself a refusal that our own wrong clock caused: it learns the time from the 403", async () => {
  await using bundle = await startWorkerBundle({ env: { HOLD_PROBE: "200ms" } });
  const shifted = await startShifted(bundle, () => Date.now() + AHEAD_MS);
  await using simulator = shifted.simulator;
  const record = await shifted.run(1);
  expect(record.state).toBe("succeeded");
  expect(record.attempts.map(({ outcome }) => outcome?.kind)).toEqual(["refused", "succeeded"]);
  expect(simulator.requests.map(({ status }) => status)).toEqual([403, 200]);
  expect((await shifted.run(2)).attempts).toHaveLength(1);
  expect(Math.abs((await shifted.offset()) - AHEAD_MS / 1_000)).toBeLessThan(1.1);
  const lines = driftLines(bundle);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/"level":(40|"warn").*"provider":"eko"/);
});

it("tries again within seconds after a refusal that its own wrong clock may have caused, not after HOLD_PROBE", async () => {
  await using bundle = await startWorkerBundle();
  expect(bundle.settings.holdProbeMs).toBe(300_000);
  const shifted = await startShifted(bundle, () => Date.now() + AHEAD_MS);
  await using simulator = shifted.simulator;
  const record = await shifted.run(1);
  expect(record.attempts.map(({ outcome }) => outcome?.kind)).toEqual(["refused", "succeeded"]);
  expect(simulator.requests.map(({ status }) => status)).toEqual([403, 200]);
  expect((await bundle.client.gates.read("eko")).holds).toEqual([]);
});

it("holds a credential that is refused by the right time, too, for HOLD_PROBE", async () => {
  await using bundle = await startWorkerBundle();
  const shifted = await startShifted(bundle, () => Date.now() + AHEAD_MS);
  await using simulator = shifted.simulator;
  simulator.configure({ faults: [{ fault: "bad-credentials" }] });
  await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1, "000"), csp_id: "agent1" });
  await expect.poll(() => simulator.requests.length).toBe(2);
  const probeIn = async (): Promise<number> => {
    const { holds, now } = await bundle.client.gates.read("eko");
    return (holds[0]?.probeAt ?? 0) - now;
  };
  await expect.poll(probeIn).toBeGreaterThan(290_000);
});

it("says when the clocks agree again, and signs by its own", async () => {
  await using bundle = await startWorkerBundle({ env: { HOLD_PROBE: "200ms" } });
  let ahead = 60_000;
  const shifted = await startShifted(bundle, () => Date.now() + ahead);
  await using simulator = shifted.simulator;
  await shifted.run(1);
  expect(await shifted.offset()).toBeGreaterThan(58);
  ahead = 0;
  await shifted.run(2);
  expect(Math.abs(await shifted.offset())).toBeLessThan(1);
  expect(driftLines(bundle)).toHaveLength(2);
  expect(simulator.requests.map(({ status }) => status)).toEqual([200, 200]);
});

it("learns the time from the first 403 on a machine that was started without one, in 1970", async () => {
  await using bundle = await startWorkerBundle();
  await using simulator = await startSimulator();
  const { eko } = bundle.settings;
  if (eko === null) throw new Error("no settings of Eko");
  const startedAt = Date.now();
  await bundle.startWorker(
    { eko: { ...eko, baseUrl: new URL(simulator.env.EKO_BASE_URL) } },
    () => Date.now() - startedAt,
  );
  const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1, "000"), csp_id: "agent-1" });
  const record = await bundle.client.waitFor(id);
  expect(record.state).toBe("succeeded");
  expect(record.attempts.map(({ outcome }) => outcome?.kind)).toEqual(["refused", "succeeded"]);
  expect(simulator.requests.map(({ status }) => status)).toEqual([403, 200]);
});
