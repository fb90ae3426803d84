import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import type { FetchedStart } from "../../src/records/attempt-start.ts";
import { Journal } from "../../src/records/journal.ts";
import { type EarlyStart, EarlyStarts, type EarlyStartsDeps } from "../../workers/early-starts.ts";
import { startWorkerBundle } from "../support/worker.ts";
import { JOB, NOW, run, setup, takenJob } from "./job-runner-bundle.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const SEND = takenJob("eko.mobile-otp");
const BROUGHT: FetchedStart = { id: JOB, start: run(SEND) };
const OTHER: FetchedStart = { id: "job-2", start: run(SEND) };
const GONE = { kind: "none", written: false, cause: { kind: "network", code: "ECONNREFUSED" } } as const;

function newStarts(given: Partial<EarlyStartsDeps> = {}) {
  const asked: string[] = [];
  const left: EarlyStart[] = [];
  const others: unknown[] = [];
  let clock = NOW;
  const starts = new EarlyStarts({
    journal: {
      beginFetched: async (token, freshRef) => {
        asked.push(`${token} ${freshRef}`);
        return await Promise.resolve({ brought: BROUGHT, others: [] });
      },
    },
    leave: async (start) => await Promise.resolve(void left.push(start)),
    leaveOther: async ({ id }, takenAt) => await Promise.resolve(void others.push([id, takenAt])),
    closings: { areAllWritten: true },
    slots: { hasRoom: true },
    ids: { reference: () => "ref" },
    now: () => clock,
    stopping: new AbortController().signal,
    ...given,
  });
  return { starts, asked, left, others, pass: (ms: number) => (clock += ms) };
}

describe("an attempt that is begun with its job's fetch", () => {
  it("is for whoever comes with the fetch's token, once", async () => {
    const { starts, asked } = newStarts();
    void starts.begin("a:1");
    expect(asked).toEqual(["a:1 ref"]);
    expect(starts.take("a:2")).toBeNull();
    const taken = starts.take("a:1");
    expect(taken).toMatchObject({ takenAt: NOW, freshRef: "ref" });
    expect(await taken?.start).toBe(BROUGHT);
    expect(starts.take("a:1")).toBeNull();
  });

  it.each([
    ["nothing more is begun", { stopping: AbortSignal.abort() }],
    ["an outcome is unwritten", { closings: { areAllWritten: false } }],
    ["as many jobs as may are in work", { slots: { hasRoom: false } }],
  ])("is not asked for where %s", (_what, given) => {
    const { starts, asked } = newStarts(given);
    void starts.begin("a:1");
    expect(asked).toEqual([]);
    expect(starts.take("a:1")).toBeNull();
  });

  it("is left where its job never came, as the answer of the fetch was lost", () => {
    const { starts, left, pass } = newStarts();
    void starts.begin("a:1");
    pass(1);
    void starts.begin("a:2");
    expect(left).toMatchObject([{ takenAt: NOW }]);
    expect(starts.take("a:1")).toBeNull();
    expect(starts.take("a:2")).toMatchObject({ takenAt: NOW + 1 });
    pass(1);
    void starts.begin("a:3");
    expect(left).toHaveLength(1);
  });

  it("is nothing to leave where the fetch brought a ticket, or nothing", async () => {
    const asked: string[] = [];
    const beginFetched = async (token: string) => {
      asked.push(token);
      return await Promise.resolve({ brought: null, others: [] });
    };
    const { starts, left, pass } = newStarts({ journal: { beginFetched } });
    void starts.begin("a:1");
    await setImmediate();
    pass(1);
    void starts.begin("a:2");
    expect(asked).toEqual(["a:1", "a:2"]);
    expect(left).toEqual([]);
  });

  it("has a time of its own, by which it is known", () => {
    const { starts, asked, pass } = newStarts();
    void starts.begin("a:1");
    starts.take("a:1");
    void starts.begin("a:2");
    pass(-5);
    void starts.begin("a:3");
    expect(asked).toEqual(["a:1 ref"]);
  });

  it("is called without being begun again, also by a process that has been told to stop meanwhile", async () => {
    const { take, calls } = setup({ start: [], reply: GONE, stopping: AbortSignal.abort() });
    const start = Promise.resolve(BROUGHT);
    expect(await take(NOW, { takenAt: NOW, freshRef: "ref", start })).toMatchObject({ kind: "later" });
    expect(calls).toHaveLength(1);
  });

  it.each([
    ["it could not be", async () => await Promise.resolve(null)],
    ["its answer was lost", async () => await Promise.reject(new Error("Connection is closed."))],
  ])("is begun as ever where %s", async (_what, begin) => {
    const { take, calls, asked } = setup({ start: run(SEND), reply: GONE });
    await take(NOW, { takenAt: NOW - 7, freshRef: "its-own", start: begin() });
    expect(asked).toEqual([NOW]);
    expect(calls).toHaveLength(1);
  });

  it("is known not to have been made where its answer was lost, though Redis had taken it", async () => {
    const left = { client_ref_id: "ref-1", started: NOW };
    const open = { kind: "open", attemptToken: "1 own-1", attempt: left, job: SEND } as const;
    const { take, calls, ends } = setup({ start: open, reply: GONE });
    const start = Promise.reject(new Error("Connection is closed."));
    await take(NOW, { takenAt: NOW - 7, freshRef: "its-own", start });
    expect(ends).toMatchObject([{ attemptToken: "1 own-1", state: "waiting", used: 0, lost: false }]);
    expect(calls).toEqual([]);
  });

  it("of another job than the one that came is closed as not made, and that one is begun as ever", async () => {
    const { take, calls, asked, ends, givenBack, queuedAgain } = setup({ start: run(SEND), reply: GONE });
    await take(NOW, { takenAt: NOW - 7, freshRef: "ref", start: Promise.resolve(OTHER) });
    expect(givenBack).toEqual(["permit-1"]);
    expect(ends[0]).toMatchObject({ attemptToken: "1 own-1", state: "waiting", used: 0, lost: false });
    expect(queuedAgain).toEqual([{ id: "job-2", lane: "interactive", verify: false }]);
    expect(asked).toEqual([NOW]);
    expect(calls).toHaveLength(1);
  });

  it("is left, too, where the same step had opened it for a job that the fetch did not bring in the end", async () => {
    const beginFetched = async () => await Promise.resolve({ brought: BROUGHT, others: [OTHER] });
    const { starts, others } = newStarts({ journal: { beginFetched } });
    void starts.begin("a:1");
    expect(await starts.take("a:1")?.start).toBe(BROUGHT);
    expect(others).toEqual([["job-2", NOW]]);
  });

  it("is known not to have been made, and its permit given back, where the job is in hand already", async () => {
    const { take, calls, ends, givenBack } = setup({ start: run(SEND), reply: GONE });
    const first = take();
    expect(await take(NOW, { takenAt: NOW, freshRef: "ref", start: Promise.resolve(BROUGHT) })).toMatchObject({
      kind: "later",
    });
    await first;
    expect(calls).toHaveLength(1);
    expect(givenBack).toEqual(["permit-1"]);
    expect(ends).toContainEqual(expect.objectContaining({ state: "waiting", used: 0, lost: false, health: null }));
  });

  it("saves a worker that waited for jobs the round trip of its own", async () => {
    await using bundle = await startWorkerBundle();
    const [begin, beginFetched] = [vi.spyOn(Journal.prototype, "begin"), vi.spyOn(Journal.prototype, "beginFetched")];
    await bundle.startWorker();
    const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
    const record = await bundle.client.waitFor(id);
    expect(record).toMatchObject({ state: "succeeded", attempts: [{ n: 1 }] });
    expect(bundle.simulator.requests).toHaveLength(1);
    expect(begin).not.toHaveBeenCalled();
    expect(await beginFetched.mock.results[0]?.value).toMatchObject({ brought: { id, start: { kind: "run" } } });
  });

  it("is none of a ticket's jobs", async () => {
    await using bundle = await startWorkerBundle();
    const beginFetched = vi.spyOn(Journal.prototype, "beginFetched");
    await bundle.startWorker();
    const inputs = [1, 2, 3].map((n) => ({ mobile: madeUpMobile(n), csp_id: "agent-1" }));
    const records = await bundle.client.submitMany("eko.mobile-otp", inputs);
    const ids = records.map(({ id }) => id);
    const settled = await Promise.all(ids.map(async (id) => await bundle.client.waitFor(id)));
    expect(settled.map(({ state }) => state)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect(bundle.simulator.requests).toHaveLength(3);
    for (const { value } of beginFetched.mock.results) expect(await value).toEqual({ brought: null, others: [] });
  });
});
