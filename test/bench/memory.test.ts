import { describe, expect, it } from "vitest";
import { formatMemory, partOf, perJob, TABLES } from "../../bench/memory.ts";

describe("partOf", () => {
  it.each([
    ["satyapan:{eko-0}:job:abc", "record"],
    ["satyapan:{eko-0}:asked:Xy", "asked"],
    ["satyapan:{eko-0}:audit", "audit outbox"],
    ["satyapan:{eko-0}:audit:aside", "audit outbox, aside"],
    ["satyapan:{audit}:log", "audit log"],
    ["bull:{eko-0}:j-abc", "BullMQ"],
  ])("counts %s as %s", (key, part) => {
    expect(partOf(key)).toBe(part);
  });
});

describe("perJob", () => {
  it("takes what was there before off, and gives the tables what no key accounts for", () => {
    const before = { total: 1_000, parts: { record: 100, due: 40 } };
    const after = { total: 5_000, parts: { record: 2_100, "audit log": 1_000 } };
    expect(perJob(before, after, 10)).toEqual({
      total: 400,
      parts: { record: 200, due: -4, "audit log": 100, [TABLES]: 104 },
    });
  });
});

describe("formatMemory", () => {
  it("shows what takes a byte of a job and more, largest first, then the sum", () => {
    const use = (record: number) => ({ total: record + 50, parts: { due: 0.4, sent: 50, record } });
    const lines = formatMemory({
      jobs: 10,
      waiting: use(200),
      settled: use(100),
      old: { total: 90, parts: { record: 90 } },
    }).split("\n");
    expect(lines.slice(2).map((line) => line.split(/ {2,}/))).toEqual([
      ["record", "200", "100", "90"],
      ["sent", "50", "50", "0"],
      ["all", "250", "150", "90"],
      [""],
    ]);
  });
});
