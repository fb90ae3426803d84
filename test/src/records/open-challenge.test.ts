import { describe, expect, it } from "vitest";
import { isOpenChallenge } from "../../../src/records/open-challenge.ts";
import { packJob } from "../../../src/records/stored-job.ts";
import { newJob, T0 } from "./journal-bundle.ts";

const OPERATION = "eko.mobile-otp";
const SENT_AT = T0 + 30;

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
