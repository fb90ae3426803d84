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
      late: { workerCpuUs: 10 * jobs, redisCpuUs: 5 * jobs },
      requestBytes: 395 * jobs,
    },
    submitToWire: { p50, p99 },
  };
}

function round(plain: number, satyapan: number): Round {
  return new Map([
    ["plain", measurement({ jobsPerSecond: plain })],
    ["bee-queue", measurement({ jobsPerSecond: 2 * plain })],
    ["satyapan", measurement({ jobsPerSecond: satyapan, scripts: 3 })],
  ]);
}

describe("summarize", () => {
  it("compares within rounds: what slows one round down on both sides changes no ratio", () => {
    const { lines } = summarize([round(10_000, 9_000), round(1_000, 900), round(5_000, 4_500)]);
    expect(lines[0]).toMatchObject({
      measure: "jobs/s",
      of: { plain: 5_000, "bee-queue": 10_000, satyapan: 4_500 },
      met: true,
    });
    expect(lines[0]?.ratio).toBeCloseTo(0.9);
  });

  it("misses the bar for throughput below 0.9", () => {
    expect(summarize([round(1_000, 901)]).met).toBe(true);
    expect(summarize([round(1_000, 899)]).met).toBe(false);
  });

  it.each([
    ["p50", 1.5],
    ["p99", 2],
  ] as const)("misses the bar for %s of submit to wire above %d", (which, bar) => {
    const plain = measurement({ jobsPerSecond: 1_000, [which]: 1 });
    const at = (ms: number): boolean =>
      summarize([
        new Map([
          ["plain", plain],
          ["satyapan", measurement({ jobsPerSecond: 1_000, [which]: ms })],
        ]),
      ]).met;
    expect(at(bar - 0.01)).toBe(true);
    expect(at(bar + 0.01)).toBe(false);
  });

  it("tells each command's calls and time per job", () => {
    expect(summarize([round(1_000, 1_000)]).commands).toEqual([
      { command: "evalsha", plain: { calls: 1, usec: 30 }, satyapan: { calls: 3, usec: 90 } },
    ]);
  });
});

describe("formatSummary", () => {
  it("shows all sides, the ratio and whether its bar was met", () => {
    const text = formatSummary(summarize([round(1_000, 500)]));
    expect(text).toMatch(/jobs\/s +1000 +2000 +500\.0 +0\.50 +≥ 0\.9 MISSED/);
    expect(text).toMatch(/submit to wire p50, ms +1\.00 +1\.00 +1\.00 +1\.00 +≤ 1\.5 met/);
    expect(text).toMatch(/evalsha +1\.00 +3\.00 +30\.0 +90\.0/);
  });
});
