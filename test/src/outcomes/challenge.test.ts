import { describe, expect, it } from "vitest";
import { challengeDeadline } from "../../../src/outcomes/challenge.ts";

const SENT_AT = Date.UTC(2026, 0, 15, 10);

describe("challengeDeadline", () => {
  it("is what the provider says", () => {
    const until = SENT_AT + 90_000;
    expect(challengeDeadline({ otp_valid_until: new Date(until).toISOString() }, SENT_AT)).toBe(until);
  });

  it.each([
    ["at that very moment", SENT_AT],
    ["months ago, as in Eko's published samples", Date.UTC(2020, 0, 1)],
    ["more than an hour ahead", SENT_AT + 3_600_001],
  ])("is ten minutes after the send where that is %s", (_when, until) => {
    const result = { otp_valid_until: new Date(until).toISOString() };
    expect(challengeDeadline(result, SENT_AT)).toBe(SENT_AT + 600_000);
  });

  it.each([[{}], [{ otp_valid_until: "" }], [{ otp_valid_until: "soon" }], [{ otp_valid_until: null }]])(
    "is ten minutes after the send where that says %j",
    (result) => {
      expect(challengeDeadline(result, SENT_AT)).toBe(SENT_AT + 600_000);
    },
  );
});
