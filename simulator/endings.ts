import type { FaultName, SimulatedStep } from "./fault.ts";

/** What the last three digits of an Aadhaar or mobile number choose. */
export interface Ending {
  readonly digits: string;
  /** Which calls it strikes; all others for that person go well. */
  readonly steps: readonly SimulatedStep[];
  /** Null: read by the sender calls themselves. */
  readonly fault: FaultName | null;
  /** How many calls per person and operation it strikes; all, if absent. */
  readonly times?: number;
  /** What is answered, for people; `as usual` where the provider has no such answer. */
  readonly eko: string;
  readonly deepvue: string;
}

const SEND: readonly SimulatedStep[] = ["send", "read", "create"];
const VERIFY: readonly SimulatedStep[] = ["verify"];
const SENDER: readonly SimulatedStep[] = ["read", "create"];

const SAME = "the same";
const USUAL = "as usual";

/**
 * The one table of endings, for the command's help, the documentation and tests. The digits are borrowed where there is
 * something to borrow from: UIDAI's 114 and 998 (facts/deepvue §5.1), Eko's 302, 303, 308, 309, 319, 544 and
 * 2138, HTTP's own. 345 stands for Eko's 346, on which a well-known sample number ends (234123412346).
 */
export const ENDINGS: readonly Ending[] = [
  {
    digits: "114",
    steps: SEND,
    fault: "mobile-not-linked",
    eko: "2138 (DMT-Levin), 461 (AePS)",
    deepvue: "400 AADHAAR_MOBILE_NOT_LINKED",
  },
  {
    digits: "998",
    steps: SEND,
    fault: "invalid-number",
    eko: "301 (DMT-Levin), 461 (AePS), 463 (mobile OTP)",
    deepvue: "400 INVALID_INPUT, invalid UID",
  },
  {
    digits: "138",
    steps: SEND,
    fault: "validation-failed",
    eko: "2138 (DMT-Levin), 461 (AePS)",
    deepvue: "422 INVALID_INPUT, bad pattern",
  },
  { digits: "308", steps: SENDER, fault: null, eko: "308 until the sender is created", deepvue: USUAL },
  { digits: "309", steps: SENDER, fault: null, eko: "309, a sender with a profile", deepvue: USUAL },
  {
    digits: "409",
    steps: SEND,
    fault: "already-pending",
    times: 1,
    eko: USUAL,
    deepvue: "409 VERIFICATION_PENDING once",
  },
  { digits: "410", steps: SEND, fault: "already-pending", eko: USUAL, deepvue: "409 VERIFICATION_PENDING always" },
  {
    digits: "500",
    steps: SEND,
    fault: "temporary-failure",
    times: 1,
    eko: "544 once",
    deepvue: "500 SOURCE_FAILURE once",
  },
  {
    digits: "544",
    steps: SEND,
    fault: "temporary-failure",
    times: 2,
    eko: "544 twice",
    deepvue: "500 SOURCE_FAILURE twice",
  },
  { digits: "503", steps: SEND, fault: "unavailable", times: 1, eko: "HTTP 503 once, as HTML", deepvue: "503 once" },
  { digits: "429", steps: SEND, fault: "throttled", times: 1, eko: "HTTP 429 once", deepvue: "429 once" },
  {
    digits: "401",
    steps: SEND,
    fault: "bad-credentials",
    times: 1,
    eko: "HTTP 401 once, no body",
    deepvue: "401 once",
  },
  {
    digits: "403",
    steps: SEND,
    fault: "account-inactive",
    times: 1,
    eko: "HTTP 403 once, as HTML",
    deepvue: "400 Inactive client_id once",
  },
  { digits: "319", steps: SEND, fault: "unknown-initiator", times: 1, eko: "319 once", deepvue: USUAL },
  { digits: "345", steps: SEND, fault: "agent-not-allowed", times: 1, eko: "346 once", deepvue: USUAL },
  { digits: "502", steps: SEND, fault: "bad-gateway", eko: "HTTP 502 as HTML, nothing sent", deepvue: SAME },
  { digits: "204", steps: SEND, fault: "empty", eko: "HTTP 204, empty, nothing sent", deepvue: SAME },
  {
    digits: "200",
    steps: SEND,
    fault: "html-page",
    eko: "HTTP 200 with an HTML page, nothing sent",
    deepvue: SAME,
  },
  {
    digits: "422",
    steps: SEND,
    fault: "message-only",
    eko: '{"message":"No key for Response"}',
    deepvue: "422, `detail` a list",
  },
  { digits: "901", steps: SEND, fault: "slow", eko: "success after 5 s", deepvue: SAME },
  {
    digits: "902",
    steps: SEND,
    fault: "drop-after-commit",
    times: 1,
    eko: "OTP sent, connection closed without a reply, once",
    deepvue: SAME,
  },
  {
    digits: "903",
    steps: SEND,
    fault: "reset-before-commit",
    times: 1,
    eko: "nothing sent, connection reset, once",
    deepvue: SAME,
  },
  {
    digits: "904",
    steps: SEND,
    fault: "never-ending",
    times: 1,
    eko: "OTP sent, body never ends, once",
    deepvue: SAME,
  },
  {
    digits: "905",
    steps: SEND,
    fault: "huge-body",
    times: 1,
    eko: "OTP sent, body of 8 MB, once",
    deepvue: SAME,
  },
  {
    digits: "906",
    steps: SEND,
    fault: "wrong-types",
    times: 1,
    eko: "OTP sent, every field of a wrong type, once",
    deepvue: SAME,
  },
  {
    digits: "907",
    steps: SEND,
    fault: "cut-short",
    times: 1,
    eko: "OTP sent, body breaks off, once",
    deepvue: SAME,
  },
  { digits: "302", steps: VERIFY, fault: "wrong-otp", eko: "any OTP is wrong", deepvue: SAME },
  { digits: "303", steps: VERIFY, fault: "expired-otp", eko: "any OTP has expired", deepvue: SAME },
  {
    digits: "850",
    steps: VERIFY,
    fault: "temporary-failure",
    times: 1,
    eko: "544 once",
    deepvue: "500 SOURCE_FAILURE once",
  },
  { digits: "801", steps: VERIFY, fault: "slow", eko: "success after 5 s", deepvue: SAME },
  {
    digits: "802",
    steps: VERIFY,
    fault: "drop-after-commit",
    times: 1,
    eko: "OTP used up, connection closed without a reply, once",
    deepvue: SAME,
  },
  {
    digits: "803",
    steps: VERIFY,
    fault: "reset-before-commit",
    times: 1,
    eko: "OTP still good, connection reset, once",
    deepvue: SAME,
  },
];
