import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIGURATION, patched } from "../../simulator/configuration.ts";
import { ErrorCode } from "../../src/base/error.ts";
import { like } from "./like.ts";

describe("patched", () => {
  it("changes what the patch names and nothing else", () => {
    const changed = patched(DEFAULT_CONFIGURATION, { pendingWindowMs: 0, quotas: { eko: [{ max: 1, ms: 1_000 }] } });
    expect(changed).toEqual({
      ...DEFAULT_CONFIGURATION,
      pendingWindowMs: 0,
      quotas: { eko: [{ max: 1, ms: 1_000 }], deepvue: [] },
    });
  });

  it("keeps an earlier patch", () => {
    const once = patched(DEFAULT_CONFIGURATION, { quotas: { eko: [{ max: 1, ms: 1_000 }] } });
    expect(patched(once, { echoOtp: true }).quotas).toEqual(once.quotas);
  });

  it.each([
    ["an unknown field", { pendingWindow: 60 }, "pendingWindow"],
    ["an unknown fault", { faults: [{ fault: "meteor" }] }, "faults"],
    ["an unknown field of a rule", { faults: [{ fault: "empty", time: 1 }] }, "time"],
    ["a probability above one", { faults: [{ fault: "empty", probability: 2 }] }, "probability"],
    ["a window without a length", { quotas: { eko: [{ max: 1 }] } }, "quotas.eko[0].ms"],
    ["no object", "fast", "expected object"],
  ])("refuses %s, naming it", (_, patch, named) => {
    expect(() => patched(DEFAULT_CONFIGURATION, patch)).toThrow(
      expect.objectContaining({ code: ErrorCode.BAD_SETTINGS, message: like(named) }),
    );
  });
});
