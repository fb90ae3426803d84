import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { NO_REPLY } from "../../src/outcomes/outcome.ts";
import type { AttemptStart } from "../../src/records/attempt-start.ts";
import { Journal } from "../../src/records/journal.ts";
import type { JobRunner } from "../../workers/job-runner.ts";
import { newRunner } from "../support/runner.ts";
import { startWorkerBundle } from "../support/worker.ts";

const INPUT = { mobile: madeUpMobile(1), csp_id: "agent-1" };

/** Its first beginning is journaled, and the answer is lost for good. */
class CutOffJournal extends Journal {
  #cut = true;
  override async begin(id: string, freshRef: string, now: number): Promise<AttemptStart> {
    const beginning = await super.begin(id, freshRef, now);
    if (!this.#cut) return beginning;
    this.#cut = false;
    throw new Error("the answer was cut off");
  }
}

/** Each of its first two beginnings is at the same moment; the second one's answer is lost for good, the first one's end is not written. */
class SharedMomentJournal extends Journal {
  readonly #at = Date.now();
  #begun = 0;
  override async begin(id: string, freshRef: string, now: number): Promise<AttemptStart> {
    this.#begun += 1;
    const beginning = await super.begin(id, freshRef, this.#begun > 2 ? now : this.#at);
    if (this.#begun === 2) throw new Error("the answer was cut off");
    return beginning;
  }
  override openerAt(now: number): string {
    return super.openerAt(this.#begun > 1 ? now : this.#at);
  }
  override async finish(...args: Parameters<Journal["finish"]>): ReturnType<Journal["finish"]> {
    if (this.#begun === 1) throw new TypeError("a fault of ours");
    return await super.finish(...args);
  }
}

/** Its first closing fails by a fault of ours. */
class FaultyJournal extends Journal {
  #faulty = true;
  override async finish(...args: Parameters<Journal["finish"]>): ReturnType<Journal["finish"]> {
    if (!this.#faulty) return await super.finish(...args);
    this.#faulty = false;
    throw new TypeError("a fault of ours");
  }
}

/** As the queue does it: taken, put away, taken again when it is due. */
async function runUntilDone(runner: JobRunner, id: string): Promise<void> {
  for (let times = 0; times < 10; times += 1) {
    if ((await runner.run(id, Date.now())).kind === "done") return;
  }
  throw new Error("never done");
}

describe("an attempt that was opened and of which not a byte was written", () => {
  it("is closed as not made by the process that knows it, costs nothing, and the job is called once", async () => {
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1" } });
    await using stack = new AsyncDisposableStack();
    const runner = await newRunner(bundle, stack, { journal: CutOffJournal });
    const { id } = await bundle.client.submit("eko.mobile-otp", INPUT);
    await expect(runner.run(id, Date.now())).rejects.toThrow("cut off");
    expect((await bundle.client.get(id))?.state).toBe("active");
    await runUntilDone(runner, id);
    const record = await bundle.client.get(id);
    expect(record).toMatchObject({
      state: "succeeded",
      attempts: [{ outcome: { kind: "unavailable", ...NO_REPLY } }, {}],
    });
    expect(bundle.simulator.requests).toHaveLength(1);
  });

  it("is not mistaken for another's that was opened in the same moment, and may have been written", async () => {
    await using bundle = await startWorkerBundle();
    await using stack = new AsyncDisposableStack();
    const runner = await newRunner(bundle, stack, { journal: SharedMomentJournal });
    const written = await bundle.client.submit("eko.mobile-otp", INPUT);
    const never = await bundle.client.submit("eko.mobile-otp", { ...INPUT, mobile: madeUpMobile(2) });
    await expect(runner.run(written.id, Date.now())).rejects.toThrow(TypeError);
    await expect(runner.run(never.id, Date.now())).rejects.toThrow("cut off");
    await runUntilDone(runner, written.id);
    await runUntilDone(runner, never.id);
    expect((await bundle.client.get(written.id))?.state).toBe("unknown");
    expect((await bundle.client.get(never.id))?.state).toBe("succeeded");
    expect(bundle.simulator.requests).toHaveLength(2);
  });

  it("is unknown to every other process", async () => {
    await using bundle = await startWorkerBundle();
    await using stack = new AsyncDisposableStack();
    const { id } = await bundle.client.submit("eko.mobile-otp", INPUT);
    await expect((await newRunner(bundle, stack, { journal: CutOffJournal })).run(id, Date.now())).rejects.toThrow(
      "cut off",
    );
    await runUntilDone(await newRunner(bundle, stack), id);
    const record = await bundle.client.get(id);
    expect(record).toMatchObject({ state: "unknown", reason: "the worker was lost between the request and its reply" });
    expect(bundle.simulator.requests).toHaveLength(0);
  });
});

describe("an attempt whose outcome could not be recorded by a fault of ours", () => {
  it("is unknown, and no lost worker is blamed for it", async () => {
    await using bundle = await startWorkerBundle();
    await using stack = new AsyncDisposableStack();
    const runner = await newRunner(bundle, stack, { journal: FaultyJournal });
    const { id } = await bundle.client.submit("eko.mobile-otp", INPUT);
    await expect(runner.run(id, Date.now())).rejects.toThrow(TypeError);
    await runUntilDone(runner, id);
    const record = await bundle.client.get(id);
    expect(record?.state).toBe("unknown");
    expect(record?.reason).toMatch(/^how the call ended could not be recorded/);
    expect(bundle.simulator.requests).toHaveLength(1);
  });
});

describe("a job that comes back to a process that works on it already", () => {
  it("waits, and is called once", async () => {
    await using bundle = await startWorkerBundle({ simulator: { latencyMs: { min: 500, max: 500 } } });
    await using stack = new AsyncDisposableStack();
    const runner = await newRunner(bundle, stack);
    const { id } = await bundle.client.submit("eko.mobile-otp", INPUT);
    const first = runner.run(id, Date.now());
    expect(await runner.run(id, Date.now())).toMatchObject({ kind: "later" });
    expect(await first).toEqual({ kind: "done" });
    expect(await bundle.client.get(id)).toMatchObject({ state: "succeeded", attempts: [{ n: 1 }] });
    expect(bundle.simulator.requests).toHaveLength(1);
  });
});
