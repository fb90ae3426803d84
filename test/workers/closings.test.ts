import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { Closings } from "../../workers/closings.ts";
import type { Closed, AttemptEnd } from "../../src/records/attempt-end.ts";
import { takenJob } from "./job-runner-bundle.ts";
import { NO_REPLY } from "../../src/outcomes/outcome.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

const DONE: Closed = { answer: "done", nextAt: null, corrected: false };

function ending(attemptToken: string): AttemptEnd {
  return {
    ...{ attemptToken, state: "succeeded", reason: null, nextAt: null, cause: null, result: null, personal: null },
    attempt: { client_ref_id: "ref", started: 1, ended: 2, outcome: { kind: "succeeded", ...NO_REPLY } },
    ...{ used: 1, pendings: 0, resends: 0, health: null, job: takenJob("eko.mobile-otp"), sent: false, answers: null },
    ...{ retention: { lookAt: null, keepsInput: false }, entry: null, lost: false },
  };
}

function refusal(text: string): Error {
  const error = new Error(text);
  error.name = "ReplyError";
  return error;
}

/** A journal that answers so, one after the other; then it waits for ever. */
function setup(answers: readonly (Closed | Error)[]) {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  const gauge: number[] = [];
  const abort = new AbortController();
  let asked = 0;
  const closings = new Closings({
    journal: {
      finish: async () => {
        const answer = answers[asked++];
        if (answer === undefined) return await new Promise<never>(() => {});
        if (answer instanceof Error) throw answer;
        return await Promise.resolve(answer);
      },
    },
    metrics: { closingsUnwritten: (count) => void gauge.push(count) },
    logger: createLogger("debug", sink),
    givenUp: abort.signal,
  });
  return { closings, lines, gauge, abort, asked: () => asked };
}

describe("the outcome of a call", () => {
  it.each([
    "OOM command not allowed",
    "READONLY You can't",
    "MISCONF Redis",
    "NOREPLICAS Not enough",
    "LOADING Redis is",
  ])(
    "is kept and written again while Redis says %s, with one line in the log when it begins and one when it is over",
    async (text) => {
      const { closings, lines, gauge, abort, asked } = setup([refusal(text), refusal(text), refusal(text), DONE]);
      const written = closings.write("job", 1, ending("1 x"));
      await expect.poll(() => closings.unwritten).toEqual({ count: 1, word: text.split(" ")[0] });
      expect(await written).toEqual(DONE);
      await closings.allWritten(abort.signal);
      expect(asked()).toBe(4);
      expect(closings.unwritten).toBeNull();
      expect(gauge.at(0)).toBe(1);
      expect(gauge.at(-1)).toBe(0);
      expect(lines.map(({ level, redis }) => [level, redis])).toEqual([
        ["error", text.split(" ")[0]],
        ["info", undefined],
      ]);
    },
  );

  it("counts as unwritten, too, where Redis says nothing at all", async () => {
    const { closings, abort } = setup([]);
    const written = closings.write("job", 1, ending("1 x")).catch((error: unknown) => error);
    await expect.poll(() => closings.unwritten).toEqual({ count: 1, word: "TIMEOUT" });
    abort.abort();
    expect(await written).toBeInstanceOf(Error);
  });

  it("counts so by its own time, whatever began before it or was written meanwhile", async () => {
    const { closings, gauge, abort } = setup([DONE]);
    await closings.write("job", 1, ending("1 x"));
    const waiting = ["2 x", "3 x"].map(async (token) => await closings.write("job", 1, ending(token)));
    for (const each of waiting) each.catch(() => {});
    await expect.poll(() => closings.unwritten).toEqual({ count: 2, word: "TIMEOUT" });
    expect(gauge).toEqual([1, 2]);
    abort.abort();
    expect(await Promise.allSettled(waiting)).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
    expect(closings.areAllWritten).toBe(true);
  });

  it("is unwritten for itself, also beside one of the same moment, whose token it shares", async () => {
    const { closings, abort } = setup([refusal("OOM command not allowed"), refusal("OOM command not allowed"), DONE]);
    const writes = ["job-1", "job-2"].map(async (id) => await closings.write(id, 1, ending("1 x")));
    for (const each of writes) each.catch(() => {});
    expect(await Promise.race(writes)).toEqual(DONE);
    expect(closings.unwritten).toEqual({ count: 1, word: "OOM" });
    abort.abort();
    await Promise.allSettled(writes);
  });

  it("is not written again where the fault is ours", async () => {
    const { closings, asked } = setup([new TypeError("the finish script answered fault"), DONE]);
    await expect(closings.write("job", 1, ending("1 x"))).rejects.toThrow(TypeError);
    expect(asked()).toBe(1);
  });

  it("that a stop cannot wait for is said to be lost: job, attempt and outcome", async () => {
    const { closings, lines, abort } = setup([refusal("OOM command not allowed")]);
    const written = closings.write("job-7", 1, ending("2 x")).catch((error: unknown) => error);
    await expect.poll(() => closings.unwritten).not.toBeNull();
    abort.abort();
    expect(await written).toBeInstanceOf(Error);
    expect(lines).toContainEqual(
      expect.objectContaining({ job: "job-7", attempt: 2, outcome: "succeeded", level: "error" }),
    );
  });
});
