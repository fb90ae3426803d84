import { describe, expect, it } from "vitest";
import { type CpuProfile, formatProfile, functionsBySelfTime, modulesBySelfTime } from "../../bench/cpu-profile.ts";

const frame = (functionName: string, url = "", lineNumber = -1) => ({ functionName, url, lineNumber });

/** (root) → send (ours) → request (undici) → write (node) → writev (native); beside it the collector and nothing at all. */
const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 6, 7] },
    { id: 2, callFrame: frame("send", "file:///app/src/providers/transport.ts", 9), children: [3] },
    { id: 3, callFrame: frame("request", "file:///app/node_modules/undici/lib/client.js", 99), children: [4] },
    { id: 4, callFrame: frame("write", "node:net", 4), children: [5] },
    { id: 5, callFrame: frame("writev") },
    { id: 6, callFrame: frame("(garbage collector)") },
    { id: 7, callFrame: frame("(idle)") },
  ],
  samples: [2, 3, 5, 7, 4, 6, 1],
  timeDeltas: [50, 10, 20, 40, 500, 5, 30],
};

describe("functionsBySelfTime", () => {
  it("gives each function the time until the next sample, the longest first, without idle time", () => {
    expect(functionsBySelfTime(PROFILE)).toEqual([
      { what: "writev", us: 40 },
      { what: "(garbage collector)", us: 30 },
      { what: "request undici/lib/client.js:100", us: 20 },
      { what: "send src/providers/transport.ts:10", us: 10 },
      { what: "write node:net:5", us: 5 },
      { what: "(root)", us: 0 },
    ]);
  });
});

describe("a process that stood still", () => {
  it("charges nobody for it", () => {
    const stopped = { ...PROFILE, timeDeltas: [50, 10, 1_500_000, 40, 500, 5, 30] };
    expect(functionsBySelfTime(stopped).map(({ what }) => what)).not.toContain("request undici/lib/client.js:100");
  });
});

describe("modulesBySelfTime", () => {
  it("charges Node's and native time to the module that called it", () => {
    expect(modulesBySelfTime(PROFILE)).toEqual([
      { what: "undici", us: 65 },
      { what: "(garbage collector)", us: 30 },
      { what: "src/providers/transport.ts", us: 10 },
      { what: "(root)", us: 0 },
    ]);
  });
});

describe("formatProfile", () => {
  it("shows both lists in µs per job", () => {
    expect(formatProfile(PROFILE, 10)).toContain("    6.50  undici");
    expect(formatProfile(PROFILE, 10)).toContain("    4.00  writev");
  });
});
