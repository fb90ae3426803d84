import { describe, expect, it } from "vitest";
import { parseUsage, totals, usageBetween, without } from "../../bench/redis-usage.ts";

const INFO = [
  "# CPU",
  "used_cpu_sys:1.500000",
  "used_cpu_user:2.250000",
  "used_cpu_sys_children:9.000000",
  "used_cpu_sys_main_thread:7.000000",
  "",
  "# Commandstats",
  "cmdstat_evalsha:calls=300,usec=9000,usec_per_call=30.00,rejected_calls=0,failed_calls=0",
  "cmdstat_eval:calls=1,usec=100,usec_per_call=100.00,rejected_calls=0,failed_calls=0",
  "cmdstat_config|resetstat:calls=1,usec=5,usec_per_call=5.00,rejected_calls=0,failed_calls=0",
  "cmdstat_llen:calls=10,usec=20,usec_per_call=2.00,rejected_calls=0,failed_calls=0",
].join("\r\n");

describe("parseUsage", () => {
  it("reads the CPU time of the process itself, user and system, and every command", () => {
    expect(parseUsage(INFO)).toEqual({
      cpuUs: 3_750_000,
      commands: {
        evalsha: { calls: 300, usec: 9_000 },
        eval: { calls: 1, usec: 100 },
        "config|resetstat": { calls: 1, usec: 5 },
        llen: { calls: 10, usec: 20 },
      },
    });
  });
});

describe("usageBetween", () => {
  it("is what came in between: neither what was there before nor what was not called", () => {
    const before = { cpuUs: 100, commands: { evalsha: { calls: 3, usec: 30 }, get: { calls: 1, usec: 1 } } };
    const after = {
      cpuUs: 150,
      commands: { evalsha: { calls: 5, usec: 55 }, get: { calls: 1, usec: 1 }, set: { calls: 2, usec: 4 } },
    };
    expect(usageBetween(before, after)).toEqual({
      cpuUs: 50,
      commands: { evalsha: { calls: 2, usec: 25 }, set: { calls: 2, usec: 4 } },
    });
  });
});

describe("without", () => {
  it("takes the bench's own calls out, with their share of the time", () => {
    const { commands } = without(parseUsage(INFO), { llen: 4, "config|resetstat": 1, info: 1 });
    expect(commands["llen"]).toEqual({ calls: 6, usec: 12 });
    expect(commands).not.toHaveProperty("config|resetstat");
    expect(commands).not.toHaveProperty("info");
  });
});

describe("totals", () => {
  it("adds up the scripts, and all commands with those that ran inside them", () => {
    expect(totals(parseUsage(INFO))).toEqual({ scripts: { calls: 301, usec: 9_100 }, commands: 312 });
  });
});
