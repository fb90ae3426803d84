import { describe, expect, it } from "vitest";
import { formatSummary, type Measurement, type Round, summarize } from "../../bench/report.ts";

function measurement(given: { jobsPerSecond: number; p50?: number; p99?: number; scripts?: number }): Measurement {
  const { jobsPerSecond, p50 = 1, p99 = 2, scripts = 1 } = given;
  const jobs = 1_000;
  return {
    drain: {
      jobs,
      tookMs: (jobs / jobsPerSecond) * 1_000,
      workerCpuUs: 100 * jobs,
      serverCpuUs: 20 * jobs,
      redis: { cpuUs: 40 * jobs, commands: { evalsha: { calls: scripts * jobs, usec: scripts * 30 * jobs } } },
      requestBytes: 395 * jobs,
    },
    submitToWire: { p50, p99 },
  };
}

function round(plain: number, satyapan: number): Round {
  return {
    plain: measurement({ jobsPerSecond: plain }),
    satyapan: measurement({ jobsPerSecond: satyapan, scripts: 3 }),
  };
}

describe("summarize", () => {
  it("compares within rounds: what slows one round down on both sides changes no ratio", () => {
    const { lines } = summarize([round(10_000, 8_000), round(1_000, 800), round(5_000, 4_000)]);
    expect(lines[0]).toMatchObject({ measure: "jobs/s", plain: 5_000, satyapan: 4_000, met: true });
    expect(lines[0]?.ratio).toBeCloseTo(0.8);
  });

  it("misses the bar for throughput below 0.7", () => {
    expect(summarize([round(1_000, 701)]).met).toBe(true);
    expect(summarize([round(1_000, 699)]).met).toBe(false);
  });

  it.each(["p50", "p99"] as const)("misses the bar for %s of submit to wire above 1.5", (which) => {
    const plain = measurement({ jobsPerSecond: 1_000, [which]: 1 });
    const at = (ms: number): boolean =>
      summarize([{ plain, satyapan: measurement({ jobsPerSecond: 1_000, [which]: ms }) }]).met;
    expect(at(1.49)).toBe(true);
    expect(at(1.51)).toBe(false);
  });

  it("tells each command's calls and time per job", () => {
    expect(summarize([round(1_000, 1_000)]).commands).toEqual([
      { command: "evalsha", plain: { calls: 1, usec: 30 }, satyapan: { calls: 3, usec: 90 } },
    ]);
  });
});

describe("formatSummary", () => {
  it("shows both sides, the ratio and whether its bar was met", () => {
    const text = formatSummary(summarize([round(1_000, 500)]));
    expect(text).toMatch(/jobs\/s +1000 +500\.0 +0\.50 +≥ 0\.7 MISSED/);
    expect(text).toMatch(/submit to wire p50, ms +1\.00 +1\.00 +1\.00 +≤ 1\.5 met/);
    expect(text).toMatch(/evalsha +1\.00 +3\.00 +30\.0 +90\.0/);
  });
});
