import { describe, expect, it } from "vitest";
import type { BatchRow } from "../../../src/batches/batch-row.ts";
import { BATCH_STATES, afterCommand, endOf, hasEnded, stopReason, openRows } from "../../../src/batches/batch-state.ts";
import {
  countBytes,
  isAir,
  isEnd,
  noRows,
  ROW_BYTES,
  ROW_STATES,
  rowStateOf,
  rowStateOfJob,
  totalOf,
} from "../../../src/batches/row-state.ts";
import { JOB_STATES, isTerminal } from "../../../src/outcomes/state.ts";

describe("the states of rows", () => {
  it("are one byte each, and no two the same", () => {
    const bytes = ROW_STATES.map((state) => ROW_BYTES[state]);
    expect(new Set(bytes).size).toBe(ROW_STATES.length);
    expect(bytes.map(rowStateOf)).toEqual(ROW_STATES);
    expect(bytes.every((byte) => Buffer.byteLength(byte) === 1)).toBe(true);
  });

  it("are each waiting, in the air, or an end", () => {
    for (const state of ROW_STATES)
      expect([state === "waiting", isAir(state), isEnd(state)].filter(Boolean)).toEqual([true]);
  });

  it("begin as waiting, or as an end that was never called", () => {
    const first: readonly BatchRow["state"][] = ["waiting", "duplicate", "skipped"];
    expect(first.map((state) => [isAir(state), isEnd(state)])).toEqual([
      [false, false],
      [false, true],
      [false, true],
    ]);
  });

  it("end exactly where their jobs do", () => {
    for (const state of JOB_STATES) expect([state, isEnd(rowStateOfJob(state))]).toEqual([state, isTerminal(state)]);
  });

  it("are counted from their bytes, and what is none is counted apart", () => {
    const { counts, foreign } = countBytes("wwqsd?s");
    expect(counts).toEqual({ ...noRows(), waiting: 2, queued: 1, succeeded: 2, duplicate: 1 });
    expect([totalOf(counts), foreign]).toEqual([6, 1]);
  });
});

describe("the states of batches", () => {
  it("obey commands only where they mean something, and the same one twice changes nothing", () => {
    for (const state of BATCH_STATES) {
      for (const command of ["pause", "resume", "cancel"] as const) {
        const after = afterCommand(state, command);
        if (after !== null) expect(afterCommand(after, command)).toBe(after);
        if (hasEnded(state) && state !== "cancelled") expect(after).toBeNull();
      }
    }
    expect(afterCommand("running", "pause")).toBe("paused");
    expect(afterCommand("stopped", "resume")).toBe("running");
    expect(afterCommand("stopped", "pause")).toBe("stopped");
    expect(afterCommand("cancelled", "resume")).toBeNull();
    expect(afterCommand("checking", "cancel")).toBeNull();
  });

  it("end when every row has, and say whether something went wrong", () => {
    expect(endOf({ ...noRows(), succeeded: 3, duplicate: 1, skipped: 1 }, 5)).toBe("finished");
    expect(endOf({ ...noRows(), succeeded: 3, expired: 1 }, 4)).toBe("finished_with_errors");
    expect(endOf({ ...noRows(), succeeded: 3, awaiting_otp: 1 }, 4)).toBeNull();
    expect(openRows({ ...noRows(), waiting: 2, calling: 1, unknown: 4 })).toBe(3);
  });

  it("stop by themselves past their limit, after a hundred rows, counted from the last resume", () => {
    const counts = { ...noRows(), succeeded: 69, rejected: 20, failed: 11 };
    expect(stopReason(counts, noRows(), 0.3)).toBe("31 of 100 rows (31%) failed or were rejected, more than 30%");
    expect(stopReason({ ...counts, failed: 10, succeeded: 70 }, noRows(), 0.3)).toBeNull();
    expect(stopReason({ ...noRows(), failed: 99 }, noRows(), 0.3)).toBeNull();
    expect(stopReason(counts, noRows(), null)).toBeNull();
    expect(stopReason({ ...counts, failed: 40 }, counts, 0.3)).toBeNull();
  });
});
