import { expect, it } from "vitest";
import { runChaos } from "../../chaos/harness.ts";
import { readTestEnv } from "../support/env.ts";

// The long one: npm run chaos -- --kills 500 --seconds 3600 (docs/reliability.md).
it("loses no job, calls nobody twice and exceeds no quota while workers and Redis are killed", async () => {
  const lines: string[] = [];
  const report = await runChaos({
    ...{ seed: 20_260_131, kills: 25, seconds: 20, workers: 3, rate: 1, quota: 15, clocks: 120, drainSeconds: 140 },
    ...{ fsync: "always", machine: readTestEnv().machine, say: (line) => lines.push(line) },
  });
  expect(report.violations, lines.join("\n")).toEqual([]);
  expect(report.kills).toBeGreaterThan(5);
  expect(report.jobs).toBeGreaterThan(50);
  expect(report.records.filter((record) => record?.state === "succeeded").length).toBeGreaterThan(20);
});
