import type { JobRecord } from "../../../src/records/record.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OutcomeTable, percentile } from "../../../producers/report/outcome-table.ts";
import { attempt, jobRecord } from "./records.ts";

function tableOf(records: readonly JobRecord[]): string {
  const table = new OutcomeTable();
  for (const record of records) table.add(record);
  return table.format();
}

describe("percentile", () => {
  it("is the smallest value that at least that share of all does not exceed", () => {
    const values = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percent) => {
        const enough = (value: number) => list.filter((other) => other <= value).length * 100 >= percent * list.length;
        expect(percentile(list, percent / 100)).toBe(Math.min(...list.filter(enough)));
      }),
    );
  });

  it("leaves the list as it was", () => {
    const list = [3, 1, 2];
    expect(percentile(list, 0.5)).toBe(2);
    expect(list).toEqual([3, 1, 2]);
  });
});

describe("the outcome table", () => {
  it("counts every call by operation, outcome and response_status_id, with p50 and p99", () => {
    const pending = { kind: "pending", sub_code: "OTP_ALREADY_SENT" } as const;
    const records = [
      jobRecord({
        operation: "deepvue.aadhaar-otp",
        attempts: [attempt(1, 10, pending), attempt(2, 30, { sub_code: "SUCCESS" })],
      }),
      jobRecord({ attempts: [attempt(1, 5, { response_status_id: 0 })] }),
      jobRecord({ attempts: [attempt(1, 15, { response_status_id: 0 }), attempt(2, null)] }),
      jobRecord({ attempts: [attempt(1, 100, { kind: "unavailable" })] }),
      jobRecord({ state: "queued" }),
    ];
    const [head, rule, ...rows] = tableOf(records).trimEnd().split("\n");
    expect(head?.split(/\s{2,}/)).toEqual(["operation", "outcome", "response_status_id", "calls", "p50", "p99"]);
    expect(rule).toMatch(/^─+$/);
    expect(rows.map((row) => row.split(/\s{2,}/))).toEqual([
      ["deepvue.aadhaar-otp", "pending", "OTP_ALREADY_SENT", "1", "10 ms", "10 ms"],
      ["deepvue.aadhaar-otp", "succeeded", "SUCCESS", "1", "30 ms", "30 ms"],
      ["eko.mobile-otp", "succeeded", "0", "2", "5 ms", "15 ms"],
      ["eko.mobile-otp", "unavailable", "none", "1", "100 ms", "100 ms"],
    ]);
  });

  it("has its columns under their titles", () => {
    const records = [jobRecord({ attempts: [attempt(1, 5), attempt(2, 1_000)] })];
    const lines = tableOf(records).trimEnd().split("\n");
    expect(lines[2]).toHaveLength(lines[0]?.length ?? 0);
    expect(lines[2]?.indexOf("succeeded")).toBe(lines[0]?.indexOf("outcome"));
  });

  it("is a sentence when no call has ended", () => {
    const records = [jobRecord({ state: "queued" }), jobRecord({ state: "active", attempts: [attempt(1, null)] })];
    expect(tableOf(records)).toBe("no call has ended yet\n");
  });
});
