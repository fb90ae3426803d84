import { describe, expect, it } from "vitest";
import type { OperationName } from "../../../../src/operations/catalogue.ts";
import { noReply } from "../../../../src/providers/exchange.ts";
import { read, reply } from "../../operations/bundle.ts";

const SEND = "deepvue.aadhaar-otp";
const VERIFY = "deepvue.aadhaar-otp.verify";
const ID = "12815fb81c084fb7a35eedc0ef1c5a84";

function product(code: number, sub_code: string | null, message: string, more: object = {}): Record<string, unknown> {
  return { code, timestamp: 1_738_332_826_135, transaction_id: ID, sub_code, message, ...more };
}

const rejected = (reason: string): object => ({ kind: "rejected", reason });
const unavailable = (reason: string): object => ({ kind: "unavailable", reason });
const unknown = (reason: string): object => ({ kind: "unknown", reason });
const BAD_CREDENTIAL = { kind: "refused", scope: "credential", reason: "the provider refused the credential" };
const NO_BALANCE = { kind: "refused", scope: "credential", reason: "the balance is insufficient" };
const WRONG_CALL = {
  kind: "refused",
  scope: "operation",
  reason: "the provider does not know this call: its path, method or type is wrong",
};
const PENDING = { kind: "pending", reason: "an OTP was generated for this Aadhaar number a moment ago" };
const UNREADABLE = unknown("the reply cannot be read");
const SERVER_ERROR = unknown("the provider failed without saying whether it was done");
const CONTRADICTORY = unknown("the reply says both that it was done and that it was not");
const DECLINED = rejected("declined by the provider");
const SOURCE_DOWN = unavailable("the source is temporarily unavailable");

const SUCCESS = product(200, "SUCCESS", "OTP sent to your Registered Mobile number. Check your mobile.", {
  reference_id: "29756208",
});
const SENT = {
  kind: "succeeded",
  result: {
    otp_sent: true,
    reference_id: "29756208",
    transaction_id: ID,
    otp_valid_until: "2025-01-31T14:23:46.135Z",
  },
};
const DATA = {
  address: { careOf: "S/O Example", country: "India", pin: "560001" },
  dateOfBirth: "31-12-1999",
  email: "0a1b",
  gender: "M",
  generatedAt: "1738304139979",
  maskedNumber: "xxxx-xxxx-0000",
  name: "Example Name",
  phone: "2c3d",
  photo: "aGVsbG8=",
  aadhaar_linked_mobile_match: "Yes",
};
const INSUFFICIENT = "Insufficient balance to process this request";

type Case = [what: string, operation: OperationName, http: number, body: unknown, want: object];

/** Every body in the seed and in facts/deepvue §1, §2 and §4. */
const DOCUMENTED: Case[] = [
  ["an OTP sent", SEND, 200, SUCCESS, SENT],
  [
    "an Aadhaar number that does not exist",
    SEND,
    400,
    product(400, "INVALID_INPUT", "Invalid UID. Please enter valid UID"),
    rejected("the Aadhaar number does not exist"),
  ],
  [
    "an Aadhaar number without a mobile",
    SEND,
    400,
    product(400, "AADHAAR_MOBILE_NOT_LINKED", "Aadhaar number does not have mobile number", {
      reference_id: "29755962",
    }),
    rejected("no mobile number is linked to the Aadhaar number"),
  ],
  ["wrong keys", SEND, 401, { detail: "Invalid client_id or client_secret, access Denied" }, BAD_CREDENTIAL],
  ["missing keys", SEND, 403, { detail: "Not authenticated" }, BAD_CREDENTIAL],
  ["a wrong token", SEND, 403, { detail: "Not a valid token" }, BAD_CREDENTIAL],
  ["a disabled account", SEND, 400, { detail: "Inactive client_id" }, BAD_CREDENTIAL],
  [
    "an OTP that is pending",
    SEND,
    409,
    product(409, "VERIFICATION_PENDING", "Otp already generated for this aadhaar, please try after some time.", {
      reference_id: "",
    }),
    PENDING,
  ],
  [
    "an Aadhaar number of a wrong pattern",
    SEND,
    422,
    product(422, "INVALID_INPUT", "Invalid Aadhaar Number Pattern."),
    rejected("the Aadhaar number has a wrong pattern"),
  ],
  [
    "a source that fails",
    SEND,
    500,
    product(500, "SOURCE_FAILURE", "Authorised source is temporarily unavailable, please try again shortly."),
    SOURCE_DOWN,
  ],
  ["a source that is away", SEND, 503, { detail: "Source Unavailable" }, unavailable("the source is not available")],
  [
    "the rate limit",
    SEND,
    429,
    { detail: "Rate limit exceeded. Please retry after some time." },
    { kind: "throttled", retryAfterMs: null },
  ],
  [
    "a right OTP with the person's data",
    VERIFY,
    200,
    product(200, "SUCCESS", "Aadhaar eKYC Successful", { data: DATA }),
    {
      kind: "succeeded",
      result: { verified: true, transaction_id: ID, masked_aadhaar: "XXXX XXXX 0000", mobile_match: true },
      personal: DATA,
    },
  ],
  ["a wrong OTP", VERIFY, 400, product(400, "INVALID_INPUT", "OTP entered is invalid"), rejected("wrong OTP")],
  ["an expired OTP", VERIFY, 400, product(400, "SOMETHING", "Otp expired"), rejected("OTP expired")],
  [
    "an expired session",
    VERIFY,
    400,
    product(400, null, "Session expired, please generate a new OTP"),
    rejected("OTP expired"),
  ],
  [
    "a wrong reference",
    VERIFY,
    400,
    product(400, null, "Please enter a valid ref_id"),
    rejected("the reference is not valid"),
  ],
  ["an empty wallet, as a peer words it", VERIFY, 422, product(422, "INSUFFICIENT_BALANCE", INSUFFICIENT), NO_BALANCE],
  ["an empty wallet, as a detail", SEND, 400, { detail: INSUFFICIENT }, NO_BALANCE],
  ["an empty wallet, as 402", SEND, 402, "", NO_BALANCE],
];

/** Everything else that may come. */
const OTHERS: Case[] = [
  ["a success without its reference", SEND, 200, { ...SUCCESS, reference_id: "" }, UNREADABLE],
  ["a success whose reference is an object", SEND, 200, { ...SUCCESS, reference_id: {} }, UNREADABLE],
  [
    "a success without a sub_code",
    SEND,
    200,
    { code: 200, reference_id: 29_756_208 },
    {
      kind: "succeeded",
      result: { otp_sent: true, reference_id: "29756208", transaction_id: null, otp_valid_until: null },
    },
  ],
  ["a success with a sub_code no table has", SEND, 200, { ...SUCCESS, sub_code: "QUEUED" }, UNREADABLE],
  ["a 201", SEND, 201, { ...SUCCESS, code: 201 }, UNREADABLE],
  ["an empty 200", SEND, 200, "", UNREADABLE],
  ["a 204", SEND, 204, "", UNREADABLE],
  ["HTML", SEND, 200, "<html>", UNREADABLE],
  ["a detail with 200", SEND, 200, { detail: "hm" }, UNREADABLE],
  ["a 200 that was cut off", SEND, 200, null, UNREADABLE],
  ["a verify's 200 without anything", VERIFY, 200, {}, UNREADABLE],
  ["a verify's 200 with data only", VERIFY, 200, { data: { name: "Example Name" } }, UNREADABLE],
  ["a verify's 200 with a code only", VERIFY, 200, { code: 200 }, UNREADABLE],
  [
    "a verify's 200 without a sub_code",
    VERIFY,
    200,
    { code: 200, data: { maskedNumber: "0000", aadhaar_linked_mobile_match: "No" } },
    {
      kind: "succeeded",
      result: { verified: true, transaction_id: null, masked_aadhaar: "XXXX XXXX 0000", mobile_match: false },
      personal: { maskedNumber: "0000", aadhaar_linked_mobile_match: "No" },
    },
  ],
  [
    "a verify's SUCCESS without data",
    VERIFY,
    200,
    product(200, "SUCCESS", "x"),
    {
      kind: "succeeded",
      result: { verified: true, transaction_id: ID, masked_aadhaar: null, mobile_match: null },
    },
  ],
  ["HTTP 200 with a body of 409", SEND, 200, product(409, "VERIFICATION_PENDING", "x"), PENDING],
  ["HTTP 200 with a body of 401", SEND, 200, { code: 401, detail: "x" }, BAD_CREDENTIAL],
  [
    "HTTP 200 with a body of 400",
    SEND,
    200,
    product(400, "INVALID_INPUT", "x"),
    rejected("the Aadhaar number, the OTP or the reference is not valid"),
  ],
  [
    "HTTP 200 whose sub_code says no",
    SEND,
    200,
    product(200, "AADHAAR_MOBILE_NOT_LINKED", "x", { reference_id: "1" }),
    rejected("no mobile number is linked to the Aadhaar number"),
  ],
  ["HTTP 200 whose sub_code says pending", SEND, 200, product(200, "VERIFICATION_PENDING", "x"), PENDING],
  ["HTTP 200 whose sub_code says failure", SEND, 200, product(200, "SOURCE_FAILURE", "x"), SOURCE_DOWN],
  ["HTTP 500 with a body of 200", SEND, 500, SUCCESS, CONTRADICTORY],
  ["HTTP 429 with a body of 200", SEND, 429, SUCCESS, CONTRADICTORY],
  ["HTTP 403 with a body of 200", SEND, 403, SUCCESS, CONTRADICTORY],
  ["HTTP 400 with a body of 200", VERIFY, 400, SUCCESS, CONTRADICTORY],
  ["HTTP 200 with a SUCCESS of 503", VERIFY, 200, product(503, "SUCCESS", "x"), CONTRADICTORY],
  ["HTTP 400 with a body of 409", SEND, 400, product(409, "VERIFICATION_PENDING", "x"), PENDING],
  ["a 409 with HTML", SEND, 409, "<html>", PENDING],
  ["a 503 with HTML", SEND, 503, "<html>", unavailable("the source is not available")],
  ["a 503 with any body", SEND, 503, { code: 200, ok: true }, unavailable("the source is not available")],
  ["a 503 with a body of 200", SEND, 503, SUCCESS, CONTRADICTORY],
  ["a bare 500", SEND, 500, { detail: "Internal Server Error" }, SERVER_ERROR],
  ["a 502", SEND, 502, "<html>", SERVER_ERROR],
  ["a 504", SEND, 504, "", SERVER_ERROR],
  ["a 403 that was cut off", SEND, 403, null, BAD_CREDENTIAL],
  ["a 400 that was cut off", SEND, 400, null, UNREADABLE],
  ["a 408", SEND, 408, "", unknown("the provider timed out waiting for the request")],
  ["FastAPI's list of details", SEND, 422, { detail: [{ loc: ["query", "consent"], msg: "x", type: "y" }] }, DECLINED],
  ["a detail that is a number", SEND, 400, { detail: 5 }, DECLINED],
  ["a 418", SEND, 418, "teapot", DECLINED],
  ["FastAPI's 404", SEND, 404, { detail: "Not Found" }, WRONG_CALL],
  ["a 404 of the product", VERIFY, 404, product(404, "REFERENCE_NOT_FOUND", "x"), DECLINED],
  ["a 405", SEND, 405, { detail: "Method Not Allowed" }, WRONG_CALL],
  ["a redirect", SEND, 307, "", WRONG_CALL],
];

describe("a reply of Deepvue", () => {
  it.each([...DOCUMENTED, ...OTHERS])("%s (%s, HTTP %i)", (_, operation, http, body, want) => {
    const answer =
      body === null ? { kind: "reply" as const, status: http, headers: {}, text: null } : reply(http, body);
    const { reply: facts, ...ending } = read(operation, answer);
    expect(ending).toEqual(want);
    expect(facts).toMatchObject({ http_status: http, status: null, response_status_id: null, response_type_id: null });
  });

  it("is throttled for as long as it says", () => {
    expect(read(SEND, reply(429, "", { "retry-after": "2" }))).toMatchObject({
      kind: "throttled",
      retryAfterMs: 2_000,
    });
  });

  it("that never came is unknown if the request was written, and unavailable if not", () => {
    expect(read(SEND, noReply(true, { kind: "timeout" }))).toMatchObject({ kind: "unknown" });
    expect(read(SEND, noReply(false, { kind: "timeout" }))).toMatchObject({ kind: "unavailable" });
  });
});

describe("what is kept of a reply of Deepvue", () => {
  it("is its sub_code and a documented text", () => {
    expect(read(SEND, reply(200, SUCCESS)).reply).toEqual({
      http_status: 200,
      status: null,
      response_status_id: null,
      response_type_id: null,
      sub_code: "SUCCESS",
      message: "OTP sent to your Registered Mobile number. Check your mobile.",
    });
    expect(read(SEND, reply(403, { detail: "Not authenticated" })).reply.message).toBe("Not authenticated");
  });

  it("is our meaning instead of any other text", () => {
    const facts = read(SEND, reply(400, product(400, "INVALID_INPUT", "999999990019 of Asha is wrong"))).reply;
    expect(facts.message).toBe("the Aadhaar number, the OTP or the reference is not valid");
    expect(read(SEND, reply(418, product(418, "TEAPOT", "Asha"))).reply).toMatchObject({
      sub_code: "other",
      message: null,
    });
  });

  it("is an unknown sub_code only if it is made of such codes' words", () => {
    const kept = (sub_code: unknown): unknown =>
      read(VERIFY, reply(400, { code: 400, sub_code, message: "x" })).reply.sub_code;
    expect(kept("OTP_EXPIRED")).toBe("OTP_EXPIRED");
    expect(kept("INVALID_REFERENCE_ID")).toBe("INVALID_REFERENCE_ID");
    expect(kept("ASHA_EXAMPLE")).toBe("other");
    expect(kept("INVALID_123456")).toBe("other");
    expect(kept("constructor")).toBe("other");
    expect(kept("OTP_".repeat(50))).toBe("other");
    expect(kept("")).toBeNull();
    expect(kept(["x"])).toBeNull();
  });

  it("is a transaction_id only in its two documented forms", () => {
    const kept = (transaction_id: unknown): unknown => {
      const outcome = read(SEND, reply(200, { ...SUCCESS, transaction_id }));
      return outcome.kind === "succeeded" ? outcome.result["transaction_id"] : undefined;
    };
    expect(kept(ID)).toBe(ID);
    expect(kept("12815fb8-1c08-4fb7-a35e-edc0ef1c5a84")).toBe("12815fb8-1c08-4fb7-a35e-edc0ef1c5a84");
    expect(kept("999999990019")).toBeNull();
    expect(kept(5)).toBeNull();
  });

  it.each([
    [SEND, "0000000000000000000a999999990019", {}],
    [VERIFY, "12345600-0000-4000-8000-00000000000a", { data: DATA }],
  ] as const)("is no transaction_id of %s that repeats what the call was given", (operation, transaction_id, more) => {
    const outcome = read(operation, reply(200, { ...SUCCESS, ...more, transaction_id }));
    expect(outcome).toMatchObject({ kind: "succeeded", result: { transaction_id: null } });
    expect(JSON.stringify(outcome)).not.toContain(transaction_id);
  });

  it("seals a reference that repeats the Aadhaar number", () => {
    const outcome = read(SEND, reply(200, { ...SUCCESS, reference_id: "9999-9999-0019/1" }));
    expect(outcome).toMatchObject({ kind: "succeeded", personal: { reference_id: "9999-9999-0019/1" } });
    expect(JSON.stringify(outcome.kind === "succeeded" && outcome.result)).not.toContain("0019");
  });

  it("is no deadline made of a timestamp that is none", () => {
    const until = (timestamp: unknown): unknown => {
      const outcome = read(SEND, reply(200, { ...SUCCESS, timestamp }));
      return outcome.kind === "succeeded" ? outcome.result["otp_valid_until"] : undefined;
    };
    for (const timestamp of [1_738_332_826, 999_999_990_019, 1e300, "1738332826135", null]) {
      expect(until(timestamp)).toBeNull();
    }
  });
});
