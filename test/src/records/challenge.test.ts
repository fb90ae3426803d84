import { describe, expect, it } from "vitest";
import { challengeDeadline, isOpenChallenge } from "../../../src/records/challenge.ts";
import { packJob } from "../../../src/records/stored-job.ts";
import { newJob, T0 } from "./journal-bundle.ts";

const OPERATION = "eko.mobile-otp";
const SENT_AT = T0 + 30;

describe("challengeDeadline", () => {
  it("is what the provider says", () => {
    const until = T0 + 90_000;
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

describe("isOpenChallenge", () => {
  const fields = (given: Readonly<Record<string, string>> = {}) => ({
    ...{ job: packJob(newJob()), state: "succeeded", updated: String(SENT_AT), result: '{"otp_sent":true}' },
    ...given,
  });

  it("is a send whose OTP went out, until the very instant when it dies", () => {
    expect(isOpenChallenge(fields(), OPERATION, SENT_AT)).toBe(true);
    expect(isOpenChallenge(fields(), OPERATION, SENT_AT + 599_999)).toBe(true);
    expect(isOpenChallenge(fields(), OPERATION, SENT_AT + 600_000)).toBe(false);
    const short = fields({ result: `{"otp_sent":true,"otp_valid_until":"${new Date(T0 + 90).toISOString()}"}` });
    expect(isOpenChallenge(short, OPERATION, T0 + 89)).toBe(true);
    expect(isOpenChallenge(short, OPERATION, T0 + 90)).toBe(false);
  });

  it.each([
    ["was answered", fields({ answered: "verify-1" }), OPERATION],
    ["is of another operation", fields(), "eko.dmt-levin.aadhaar-otp"],
    ["has not succeeded", fields({ state: "unknown" }), OPERATION],
    ["sent none", fields({ result: '{"otp_sent":false}' }), OPERATION],
    ["was settled by hand, so that nothing is known of its OTP", { ...fields(), result: "{}" }, OPERATION],
    ["is not there", {}, OPERATION],
  ])("is none that %s", (_what, record, operation) => {
    expect(isOpenChallenge(record, operation, SENT_AT)).toBe(false);
  });
});
