import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startWorkerBundle } from "../support/worker.ts";

const inputs = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) => ({ mobile: madeUpMobile(from + index), csp_id: "agent-1" }));
const PEOPLE = (list: readonly { mobile: string }[]) => new Set<string | null>(list.map(({ mobile }) => mobile));

/** Calls among which each lane's are counted. */
const COUNTED = 500;

describe("lanes in one quota", () => {
  it("give bulk its floor while interactive jobs keep coming, and interactive ones the rest", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "5/100ms" } });
    // So many that none is lacking while they are counted: two workers have up to 100 in hand.
    const [bulk, interactive] = [inputs(100, 0), inputs(COUNTED + 250, 1_000)];
    await bundle.client.submitMany("eko.mobile-otp", bulk, { lane: "bulk" });
    await bundle.client.submitMany("eko.mobile-otp", interactive, { lane: "interactive" });
    await bundle.startWorker();
    await bundle.startWorker();
    const { requests } = bundle.simulator;
    await expect.poll(() => requests.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(COUNTED);
    const people = PEOPLE(bulk);
    const share = requests.slice(0, COUNTED).filter(({ person }) => people.has(person)).length / COUNTED;
    // Two tickets of twelve, one for each worker, more or less: they come at once, and may be early or late.
    expect(share).toBeGreaterThanOrEqual(0.05);
    expect(share).toBeLessThanOrEqual(0.15);
  });

  it("put a verify before the sends that wait, in its own lane", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "2/500ms" } });
    const [first] = inputs(1, 0);
    const running = await bundle.startWorker();
    const sent = await bundle.client.submit("eko.mobile-otp", first ?? { mobile: "", csp_id: "" });
    await bundle.client.waitFor(sent.id);
    await running.stop();
    await bundle.client.submitMany("eko.mobile-otp", inputs(5, 10), { lane: "bulk" });
    await bundle.client.submitMany("eko.mobile-otp", inputs(5, 20), { lane: "interactive" });
    const otp = bundle.simulator.outbox[0]?.otp ?? "";
    await bundle.client.submit("eko.mobile-otp.verify", { of: sent.id, otp }, { lane: "interactive" });
    await bundle.startWorker();
    await expect.poll(() => bundle.simulator.requests.length).toBeGreaterThanOrEqual(4);
    expect(bundle.simulator.requests[1]?.operation).toBe("eko.mobile-otp.verify");
  });

  it("never call for a job that expired while it waited for a permit", async () => {
    await using bundle = await startWorkerBundle({ env: { EKO_QUOTA: "1/1s" } });
    const [one, other] = inputs(2, 0);
    const first = await bundle.client.submitUnchecked("eko.mobile-otp", one, {});
    await bundle.startWorker();
    await bundle.client.waitFor(first.id);
    const late = await bundle.client.submitUnchecked("eko.mobile-otp", other, { expiresIn: 200 });
    expect((await bundle.client.waitFor(late.id)).state).toBe("expired");
    expect(bundle.simulator.requests).toHaveLength(1);
  });
});
