import { describe, expect, it } from "vitest";
import { jobTerms } from "../../../producers/jobs/job-terms.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import type { Lane } from "../../../src/outcomes/lane.ts";

const NOW = 1_700_000_000_000;

describe("jobTerms", () => {
  it("is the default lane without a deadline when nothing is said", () => {
    expect(jobTerms({}, "bulk", NOW)).toEqual({
      lane: "bulk",
      scope: "day:2023-11-14",
      expiresInMs: null,
      trace: null,
    });
  });

  it.each([
    ["10m", 600_000],
    ["1ms", 1],
    [600_000, 600_000],
    [0.6, 1],
  ])("takes the deadline %s, to be counted from its acceptance", (expiresIn, ms) => {
    expect(jobTerms({ expiresIn, lane: "bulk" }, "interactive", NOW)).toEqual({
      ...{ lane: "bulk", scope: "day:2023-11-14", expiresInMs: ms, trace: null },
    });
  });

  it.each([0, -1, "0s", Number.NEGATIVE_INFINITY])("refuses the deadline %s, which has passed", (expiresIn) => {
    const message = "expires: the deadline has passed already; give a time to come, such as 10m";
    expect(() => jobTerms({ expiresIn }, "bulk", NOW)).toThrow(
      expect.objectContaining({ code: ErrorCode.EXPIRED, message }) as Error,
    );
  });

  it.each(["10", "soon", "-1m", "", "4000d", Number.NaN, Number.POSITIVE_INFINITY, 1e15])(
    "refuses the deadline %s, which is none",
    (expiresIn) => {
      expect(() => jobTerms({ expiresIn }, "bulk", NOW)).toThrow(
        expect.objectContaining({
          code: ErrorCode.BAD_INPUT,
          message: expect.stringMatching(/^expiresIn:? must /) as string,
        }) as Error,
      );
    },
  );

  it("refuses a lane that there is not", () => {
    expect(() => jobTerms({ lane: "fast" as Lane }, "bulk", NOW)).toThrow("lane: must be interactive or bulk");
  });
});
