import { describe, expect, it } from "vitest";
import { StateCounts } from "../../../producers/report/state-counts.ts";
import { stillOpen } from "../../../producers/report/still-open.ts";
import { jobRecord } from "./records.ts";

describe("the counts of states", () => {
  it("come in the order of a job's life, without those that are none", () => {
    const counts = new StateCounts();
    expect(counts.format()).toBe("");
    for (const state of ["succeeded", "rejected", "waiting", "succeeded", "queued"] as const) counts.add({ state });
    expect(counts.format()).toBe("1 queued, 1 waiting, 2 succeeded, 1 rejected");
  });
});

describe("what is said of open jobs", () => {
  it("names the one, and asks for a worker where none was begun", () => {
    expect(stillOpen(jobRecord({ state: "queued" }), 1, false)).toBe(
      "job order-1 is still queued and goes on without this command: see `satyapan show order-1`; none was begun, is a `satyapan worker` running?",
    );
  });

  it("counts several, and asks for no worker where one is at work", () => {
    expect(stillOpen(jobRecord({ state: "queued" }), 2, true)).toBe(
      "2 jobs go on without this command: see `satyapan show order-1`",
    );
  });
});
