import { describe, expect, it } from "vitest";
import type { ChallengeRecord, OnboardingRecord } from "../../../producers/onboardings/onboarding-record.ts";
import { formatOnboarding } from "../../../producers/report/format-onboarding.ts";

const CHALLENGE: ChallengeRecord = {
  ...{ state: "open", deadline: "2026-01-15T10:00:00.000Z", tries_left: 3, sends_left: 2, resend_from: null },
};
const AWAITED: OnboardingRecord = {
  ...{ id: "asha", flow: "eko.mobile", lane: "interactive", state: "awaiting_otp", step: "verify", job: "asha-send" },
  ...{ reason: null, result: null, challenge: CHALLENGE, steps: [], expires_at: null },
  ...{ created_at: "2026-01-15T09:50:00.000Z", updated_at: "2026-01-15T09:50:00.000Z" },
};

describe("an onboarding, for people", () => {
  it.each([
    [{}, "ask for the code: satyapan otp asha CODE"],
    [{ state: "over", tries_left: 0 }, "its tries are used up: satyapan otp asha --resend"],
    [{ state: "over", tries_left: 3 }, "its code did not come in time: satyapan otp asha --resend"],
  ] as const)("says what to do where its challenge is %j: %s", (challenge, said) => {
    const text = formatOnboarding({ ...AWAITED, challenge: { ...CHALLENGE, ...challenge } }, null);
    expect(text.split("\n").find((line) => line.startsWith("what to do"))).toContain(said);
  });
});
