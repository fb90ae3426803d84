import { describe, expect, it } from "vitest";
import { Draw, seededRandom } from "../../simulator/draw.ts";
import { FaultPlan, type StruckCall } from "../../simulator/fault-plan.ts";
import { FaultRule } from "../../simulator/fault.ts";

const CALL: StruckCall = { operation: "deepvue.aadhaar-otp", step: "send", persons: ["234123412346"] };

function planOf(...rules: Parameters<typeof FaultRule.parse>[0][]): FaultPlan {
  return new FaultPlan(
    rules.map((rule) => FaultRule.parse(rule)),
    true,
    new Draw(seededRandom(1)),
  );
}

function faults(plan: FaultPlan, calls: number, call: Partial<StruckCall> = {}): (string | null)[] {
  return Array.from({ length: calls }, () => plan.choose({ ...CALL, ...call })?.fault ?? null);
}

describe("FaultPlan", () => {
  it("strikes nothing without a rule and without an ending", () => {
    expect(faults(planOf(), 2)).toEqual([null, null]);
  });

  it("strikes the first so many calls", () => {
    expect(faults(planOf({ fault: "empty", times: 2 }), 3)).toEqual(["empty", "empty", null]);
  });

  it("strikes every so-manyth call", () => {
    expect(faults(planOf({ fault: "empty", every: 3 }), 6)).toEqual([null, null, "empty", null, null, "empty"]);
  });

  it("strikes with a probability", () => {
    const struck = faults(planOf({ fault: "empty", probability: 0.3 }), 10_000).filter((fault) => fault !== null);
    expect(struck.length).toBeGreaterThan(2_800);
    expect(struck.length).toBeLessThan(3_200);
    expect(faults(planOf({ fault: "empty", probability: 0 }), 100).every((fault) => fault === null)).toBe(true);
  });

  it.each([
    ["deepvue.aadhaar-otp", true],
    ["deepvue.", true],
    ["deepvue.aadhaar-otp.verify", false],
    ["eko.", false],
  ])("takes %s for the operation of its call: %s", (operation, strikes) => {
    expect(faults(planOf({ fault: "empty", operation }), 1)).toEqual([strikes ? "empty" : null]);
  });

  it("strikes only the steps it names", () => {
    const plan = planOf({ fault: "empty", steps: ["verify"] });
    expect([...faults(plan, 1), ...faults(plan, 1, { step: "verify" })]).toEqual([null, "empty"]);
  });

  it("strikes by last digits, of the Aadhaar or the mobile number", () => {
    const plan = planOf({ fault: "empty", match: "2346" });
    expect(faults(plan, 1)).toEqual(["empty"]);
    expect(faults(plan, 1, { persons: ["999941057058", "9000002346"] })).toEqual(["empty"]);
    expect(faults(plan, 1, { persons: ["999941057058"] })).toEqual([null]);
  });

  it("counts all calls of a rule together, or each person's by itself", () => {
    const other = { persons: ["999941057058"] };
    const together = planOf({ fault: "empty", times: 1 });
    expect([...faults(together, 1), ...faults(together, 1, other)]).toEqual(["empty", null]);
    const each = planOf({ fault: "empty", times: 1, per: "person" });
    expect([...faults(each, 2), ...faults(each, 2, other)]).toEqual(["empty", null, "empty", null]);
  });

  it("lets the first rule that strikes win, and the endings come last", () => {
    const plan = planOf({ fault: "empty", times: 1 }, { fault: "bad-gateway", times: 2 });
    const call = { persons: ["999999990410"] };
    expect(faults(plan, 4, call)).toEqual(["empty", "bad-gateway", "bad-gateway", "already-pending"]);
  });

  it("strikes an ending for each operation anew, and a verify only by a verify's ending", () => {
    const plan = planOf();
    const call = { persons: ["9000000500"] };
    expect(faults(plan, 2, call)).toEqual(["temporary-failure", null]);
    expect(faults(plan, 2, { ...call, operation: "eko.mobile-otp" })).toEqual(["temporary-failure", null]);
    expect(faults(plan, 1, { ...call, operation: "eko.mobile-otp.verify", step: "verify" })).toEqual([null]);
  });

  it("leaves endings alone where they are switched off", () => {
    const plan = new FaultPlan([], false, new Draw(seededRandom(1)));
    expect(faults(plan, 1, { persons: ["9000000500"] })).toEqual([null]);
  });
});
