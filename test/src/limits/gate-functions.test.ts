import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONTROL } from "../../../src/limits/gate/control-fields.ts";
import { ANY_CALLS, FEW_CALLS, FLOW } from "../../../src/limits/gate/flow.ts";
import { QUOTA } from "../../../src/limits/gate/quota.ts";
import { STOPS } from "../../../src/limits/gate/stops.ts";
import type { LuaPart } from "../../../src/redis/lua-source.ts";
import { luaValue } from "../../support/lua.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** `g.now` is 1,000,000; what an expression changes in the gate stays in its script. */
const NOW = 1_000_000;

/** An expression of the gate's functions, with the fields of `control`. */
const gateValue = async (part: LuaPart, expression: string, control: object) =>
  await luaValue(redis.client(), [part], expression, { g: { prefix: "none:", now: NOW }, control });

describe("the windows of a quota in Lua", () => {
  const windows = async (control: object) => {
    const found = await gateValue(QUOTA, "windows_of(g, control)", control);
    return Object.entries(found as Record<string, unknown>)
      .filter(([name]) => name !== "most")
      .map(([, window]) => window);
  };

  it("are as they stand, with where the last quarter of each begins", async () => {
    expect(await windows({ quota: "8:1000,100:60000" })).toEqual([
      { name: "8:1000", max: 8, ms: 1_000, quarter: 6 },
      { name: "100:60000", max: 100, ms: 60_000, quarter: 75 },
    ]);
    expect(await windows({})).toEqual([]);
  });

  it.each([
    [0.5, 5, 1_000],
    [0.25, 3, 1_200],
    [0.05, 1, 2_000],
    [1, 10, 1_000],
  ])(
    "at a share of %d are %d calls in %d ms of ten in a second: the rate of the first, and only of that",
    async (factor, max, ms) => {
      expect(await windows({ quota: "10:1000,20:60000", factor })).toMatchObject([
        { name: "10:1000", max, ms },
        { name: "20:60000", max: 20, ms: 60_000 },
      ]);
    },
  );

  it("that allow nothing stay so, whatever the share", async () => {
    expect(await windows({ quota: "0:1000", factor: 0.5 })).toMatchObject([{ max: 0, ms: 1_000 }]);
  });
});

describe("how many calls at once in Lua", () => {
  const limit = async (control: object) => await gateValue(FLOW, "flow_limit(g, control)", control);

  it.each([
    ["nothing is known", {}, FEW_CALLS],
    ["what is known is garbled", { flow: "many" }, FEW_CALLS],
    ["one went well a moment ago", { flow: `40 5 5 ${NOW - 100} 0` }, 40],
    ["all was quiet for longer than five seconds", { flow: `40 5 5 ${NOW - 5_001} 0` }, FEW_CALLS],
    ["all was quiet, and three calls take longer than that", { flow: `40 5 2000 ${NOW - 5_001} 0` }, 40],
    ["two of two calls failed", { flow: `40 5 5 ${NOW} 0`, window_at: NOW, bad: 2 }, FEW_CALLS - 2],
    ["all calls failed", { flow: `40 5 5 ${NOW} 0`, window_at: NOW, bad: 20 }, 1],
    ["failures are outweighed", { flow: `40 5 5 ${NOW} 0`, window_at: NOW, bad: 2, good: 4 }, 40],
    ["the failures are old", { flow: `40 5 5 ${NOW} 0`, window_at: NOW - 10_000, bad: 2 }, 40],
  ])("is told where %s", async (_, control, expected) => {
    expect(await limit(control)).toBe(expected);
  });

  it.each([
    ["100:1000", 20, 8],
    ["1000:1000", 20, 40],
    ["1000:1000", 0, 8],
    ["10:0", 20, ANY_CALLS],
    ["", 20, ANY_CALLS],
  ])("is no more than twice what a quota of %s needs for calls of %d ms: %d", async (quota, usual, cap) => {
    expect(await gateValue(FLOW, `flow_cap(g, control, ${usual})`, { quota })).toBe(cap);
  });
});

describe("what stops a credential in Lua", () => {
  it.each([
    ["nothing", {}, []],
    ["a hold, until one may try", { hold: "403", hold_probe: NOW + 1 }, ["held", NOW + 1, "403"]],
    ["no hold whose turn has come", { hold: "403", hold_probe: NOW }, []],
    ["a pause", { pause_until: NOW + 1 }, ["throttled", NOW + 1, ""]],
    ["no pause that is over", { pause_until: NOW }, []],
    ["an open breaker", { breaker: "open", probe_at: NOW + 1 }, ["breaker", NOW + 1, ""]],
    ["a ramp", { breaker: "ramp", ramp_at: NOW + 1 }, ["breaker", NOW + 1, "ramp"]],
    [
      "a failover before all else",
      { confirm_until: NOW + 1, hold: "403", hold_probe: NOW + 9 },
      ["throttled", NOW + 1, "failover"],
    ],
    ["a hold before a pause", { hold: "403", hold_probe: NOW + 1, pause_until: NOW + 9 }, ["held", NOW + 1, "403"]],
  ])("is %s", async (_, control, expected) => {
    const told = await gateValue(STOPS, "{stopped(g, control)}", control);
    expect(Object.values(told as object)).toEqual(expected);
  });

  it.each([
    [{}, "", true],
    [{ quota: "" }, "", true],
    [{ quota: "1:1000" }, "", false],
    [{ quota: "1:1000", epoch: "a" }, "a", false],
    [{ quota: "1:1000", epoch: "a" }, "b", true],
    [{ quota: "1:1000" }, "a", true],
  ])("is a gate that forgot: of %o a worker that knows epoch %j says %j", async (control, epoch, forgot) => {
    expect(await gateValue(CONTROL, `has_forgotten(control, '${epoch}')`, control)).toBe(forgot);
  });
});
