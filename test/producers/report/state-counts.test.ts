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
  it("names the one, and why", () => {
    expect(stillOpen(jobRecord({ state: "queued" }), 1, "No worker is running.")).toBe(
      "job order-1 is still queued and goes on without this command: see `satyapan show order-1`. No worker is running.",
    );
  });

  it("counts several, and says why where none was begun", () => {
    expect(stillOpen(jobRecord({ state: "queued" }), 2, null)).toBe(
      "2 jobs go on without this command: see `satyapan show order-1`",
    );
    expect(stillOpen(jobRecord({ state: "queued" }), 2, "No worker is running.")).toMatch(
      /order-1`\. None was begun\. No worker is running\.$/,
    );
  });
});
