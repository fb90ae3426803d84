import { describe, expect, it } from "vitest";
import type { OperationName } from "../../../../src/operations/catalogue.ts";
import type { NoReplyCause } from "../../../../src/outcomes/no-reply.ts";
import { noReply } from "../../../../src/providers/exchange.ts";
import { read, reply } from "../../operations/bundle.ts";

const LEVIN = "eko.dmt-levin.aadhaar-otp";
const LEVIN_VERIFY = "eko.dmt-levin.aadhaar-otp.verify";
const MOBILE = "eko.mobile-otp";
const MOBILE_VERIFY = "eko.mobile-otp.verify";
const AEPS = "eko.aeps-fingpay.ekyc-otp";
const AEPS_VERIFY = "eko.aeps-fingpay.ekyc-otp.verify";
const SENDER = "eko.dmt-levin.sender";
const CREATE = "eko.dmt-levin.sender.create";

/** Status, `response_status_id`, `response_type_id`, message, data: the envelope of facts/eko §3.1. */
function envelope(status: unknown, id: unknown, type: unknown, message?: string, data?: unknown): object {
  return { status, response_status_id: id, response_type_id: type, message, data };
}

/** An outcome without its `reply`. */
type Want = object;
const rejected = (reason: string): Want => ({ kind: "rejected", reason });
const refused = (scope: string, reason: string): Want => ({ kind: "refused", scope, reason });
const succeeded = (result: object): Want => ({ kind: "succeeded", result });

const SENT = { intent_id: "", kyc_request_id: "", otp_ref_id: "af39bb86-6e3d-49e7-bfc1-b7c0cc5ef817" };
const LEVIN_SENT = succeeded({ otp_sent: true, otp_ref_id: "af39bb86-6e3d-49e7-bfc1-b7c0cc5ef817" });

type Case = [what: string, operation: OperationName, http: number, body: unknown, want: Want];

/** Every body in the seeds and in facts/eko §3 and §4 for these operations. */
const DOCUMENTED: Case[] = [
  ["an Aadhaar OTP sent, as 2129", LEVIN, 200, envelope(2129, 1, 2129, "Validate the OTP", SENT), LEVIN_SENT],
  ["an Aadhaar OTP sent, as 0", LEVIN, 200, envelope(0, 0, 2129, "Validate the OTP", SENT), LEVIN_SENT],
  [
    "the placeholder's OTP sent",
    LEVIN,
    200,
    envelope(0, 0, 1388, "Aadhaar OTP dispatched successfully", { otp_ref_id: "93847202", mobile_hint: "******3210" }),
    { ...succeeded({ otp_sent: true, otp_ref_id: "93847202" }), personal: { mobile_hint: "******3210" } },
  ],
  [
    "the placeholder's invalid Aadhaar",
    LEVIN,
    200,
    envelope(1, 301, 1388, "Invalid Aadhaar number provided.", {}),
    rejected("the Aadhaar number is invalid"),
  ],
  [
    "an Aadhaar rejected",
    LEVIN,
    200,
    envelope(2138, 1, 2138, "Adhar Validation Failed"),
    rejected("wrong OTP, or the Aadhaar number is not valid"),
  ],
  [
    "a right OTP, biometric next, with a new reference",
    LEVIN_VERIFY,
    200,
    envelope(2134, 1, 2134, "Customer KYC Pending", { user_code: "32450001", otp_ref_id: "MjQzMjYxMjY5" }),
    succeeded({ verified: true, next_step: "biometric", user_code: "32450001", otp_ref_id: "MjQzMjYxMjY5" }),
  ],
  [
    "the same with status 0",
    LEVIN_VERIFY,
    200,
    envelope(0, 0, 2134, "Customer KYC Pending"),
    succeeded({ verified: true, next_step: "biometric" }),
  ],
  [
    "the placeholder's right OTP",
    LEVIN_VERIFY,
    200,
    envelope(0, 0, 1388, "Aadhaar OTP verified successfully", {
      verified: true,
      name: "Arjun Mehta",
      gender: "M",
      dob: "10-01-1988",
      masked_aadhaar: "XXXX-XXXX-3456",
    }),
    {
      ...succeeded({ verified: true, next_step: null, masked_aadhaar: "XXXX XXXX 3456" }),
      personal: { name: "Arjun Mehta", gender: "M", dob: "10-01-1988", masked_aadhaar: "XXXX-XXXX-3456" },
    },
  ],
  [
    "Aadhaar pending after an Aadhaar validation",
    LEVIN_VERIFY,
    200,
    envelope(2136, 1, 2136, "Aadhar Validation Pending"),
    rejected("the Aadhaar number was not validated"),
  ],
  [
    "a completed registration",
    LEVIN_VERIFY,
    200,
    envelope(0, 0, 2132, "Customer Registration Completed"),
    succeeded({ verified: true, next_step: null }),
  ],
  [
    "a right OTP, PAN next",
    LEVIN_VERIFY,
    200,
    envelope(0, 0, 2147, "Pan Number Required", { wallet_token: "", wallet_id: "", application_id: "" }),
    succeeded({ verified: true, next_step: "pan" }),
  ],
  [
    "a wrong OTP, 2138",
    LEVIN_VERIFY,
    200,
    envelope(2138, 1, 2138, "Invalid OTP"),
    rejected("wrong OTP, or the Aadhaar number is not valid"),
  ],
  [
    "a wrong OTP, 2131",
    LEVIN_VERIFY,
    200,
    envelope(2131, 1, 2131, "Validate OTP Failed", { description: "" }),
    rejected("wrong OTP"),
  ],
  [
    "a wrong OTP, told by response_status_id",
    LEVIN_VERIFY,
    200,
    envelope(2131, 302, 2131, "Validate OTP Failed", { description: "Wrong OTP" }),
    rejected("wrong OTP"),
  ],
  [
    "an expired OTP, told by response_status_id",
    LEVIN_VERIFY,
    200,
    envelope(2131, 303, 2131, "Validate OTP Failed", { description: "OTP expired" }),
    rejected("OTP expired"),
  ],
  ["a wrong OTP, 302", LEVIN_VERIFY, 200, envelope(302, 1, 302), rejected("wrong OTP")],
  ["an expired OTP, 303", LEVIN_VERIFY, 200, envelope(303, 1, 303), rejected("OTP expired")],
  [
    "a mobile OTP sent",
    MOBILE,
    200,
    envelope(0, 0, 1623, "OTP has been sent", {
      client_ref_id: "211101129871",
      initiator_id: "1234567891",
      otp_expiry_timestamp: "Fri May 22 16:04:04 IST 2026",
      tid: "2886978474",
    }),
    succeeded({
      otp_sent: true,
      otp_valid_until: "2026-05-22T10:34:04.000Z",
      client_ref_id: "211101129871",
      tid: "2886978474",
    }),
  ],
  [
    "a mobile OTP sent, in the older contract",
    MOBILE,
    200,
    envelope(0, 0, 1600, "OTP request has been sent", { otp_ref_id: "2465238" }),
    succeeded({ otp_sent: true, otp_valid_until: null, otp_ref_id: "2465238" }),
  ],
  [
    "a mobile OTP sent on UAT, which tells the OTP",
    MOBILE,
    200,
    envelope(0, 0, 1623, "OTP has been sent", { otp: "3643", tid: 2_886_978_474 }),
    { ...succeeded({ otp_sent: true, otp_valid_until: null, tid: "2886978474" }), personal: { otp: "3643" } },
  ],
  [
    "a right mobile OTP",
    MOBILE_VERIFY,
    200,
    envelope(0, 0, 1632, "OTP verification successful.", {
      client_ref_id: "211101129871",
      otp_verification_token: "eyJ.a.b",
      initiator_id: "1234567891",
      mobile: "9002336768",
      tid: "2886978475",
    }),
    {
      ...succeeded({ verified: true, client_ref_id: "211101129871", tid: "2886978475" }),
      personal: { otp_verification_token: "eyJ.a.b", mobile: "9002336768" },
    },
  ],
  [
    "a wrong or expired mobile OTP, under the same type",
    MOBILE_VERIFY,
    200,
    envelope(1, 1, 1632, "OTP verification failed.", {}),
    rejected("wrong or expired OTP"),
  ],
  [
    "a mobile verify without its send",
    MOBILE_VERIFY,
    200,
    envelope(1, 1, 1633, "OTP not found. Please make the OTP request again."),
    rejected("declined by the provider"),
  ],
  [
    "a right mobile OTP in the older contract",
    MOBILE_VERIFY,
    200,
    envelope(0, 0, 1604, "Validation successful"),
    succeeded({ verified: true }),
  ],
  [
    "an AePS OTP sent",
    AEPS,
    200,
    envelope(0, 0, 1600, "OTP request has been sent", {
      reference_tid: "EKYKF4719702240123152147525I",
      otp_ref_id: "2465238",
    }),
    succeeded({ otp_sent: true, reference_tid: "EKYKF4719702240123152147525I", otp_ref_id: "2465238" }),
  ],
  [
    "an agent without the service",
    AEPS,
    200,
    envelope(346, 1, 346, "Agent not allowed to this transaction"),
    refused("user_code", "the service is not active for the user_code"),
  ],
  [
    "a badly encrypted Aadhaar",
    AEPS,
    200,
    {
      ...envelope(97, 1, -1, "Please provide the value of the field"),
      invalid_params: { aadhar: "Please provide the value of the field {2} {3}" },
    },
    rejected("a field is missing or cannot be decrypted: check EKO_AADHAAR_PUBLIC_KEY"),
  ],
  [
    "a right AePS OTP with new references",
    AEPS_VERIFY,
    200,
    envelope(0, 0, 1604, "Validation successful", {
      reference_tid: "BEKYF4719702240123152147525I",
      otp_ref_id: "815031",
    }),
    succeeded({
      verified: true,
      next_step: "biometric",
      reference_tid: "BEKYF4719702240123152147525I",
      otp_ref_id: "815031",
    }),
  ],
  [
    "the seed's right AePS OTP",
    AEPS_VERIFY,
    200,
    envelope(0, 0, 1388, "ok", { user_code: "20810200", reference_tid: "BEKYF1I", otp_ref_id: "815031" }),
    succeeded({
      verified: true,
      next_step: "biometric",
      user_code: "20810200",
      reference_tid: "BEKYF1I",
      otp_ref_id: "815031",
    }),
  ],
  [
    "a wrong or expired AePS OTP",
    AEPS_VERIFY,
    200,
    envelope(461, 1, 461, "Failed!Please try after some time", {
      last_used_okekey: "",
      reason: "The details entered are incorrect or the OTP has expired. Kindly request a new OTP.",
    }),
    rejected("wrong or expired OTP: a new one has to be asked for"),
  ],
  [
    "AePS steps that were skipped",
    AEPS_VERIFY,
    200,
    envelope(461, 1, 461, "Failed!Please try after some time", { reason: "Merchant is Inactive or Invalid Details" }),
    rejected("the merchant is inactive, or an earlier step is missing"),
  ],
  [
    "a known sender",
    SENDER,
    200,
    envelope(0, -1, 309, "Success!", { customer_profile: { mobile: "9999999999" }, wallet_token: "", kyc_state: 0 }),
    {
      ...succeeded({ registered: true, next_step: null }),
      personal: { customer_profile: { mobile: "9999999999" }, kyc_state: 0 },
    },
  ],
  [
    "a new sender whose Aadhaar is pending",
    SENDER,
    200,
    envelope(2136, 1, 2136, "Aadhar Validation Pending", { description: "", otp_ref_id: "MjQzMjYxMjRi" }),
    succeeded({ registered: false, next_step: "aadhaar", otp_ref_id: "MjQzMjYxMjRi" }),
  ],
  [
    "an unknown sender",
    SENDER,
    200,
    envelope(308, 1, 308, "Failure!Customer Not Enrolled", { sender_name: "", ekyc_enabled: "" }),
    succeeded({ registered: false, next_step: "create" }),
  ],
  [
    "a sender who was sent an OTP",
    SENDER,
    200,
    envelope(2129, 1, 2129, "Validate the OTP", { otp_ref_id: "1" }),
    succeeded({ registered: true, next_step: "otp", otp_ref_id: "1" }),
  ],
  [
    "a created sender",
    CREATE,
    200,
    envelope(0, 0, 300, "Wallet opened successfully.", {
      customer_id_type: "mobile_number",
      user_code: "321115001",
      state_desc: "",
      state: "",
      customer_id: "9310231242",
    }),
    {
      ...succeeded({ created: true, next_step: "aadhaar", user_code: "321115001" }),
      personal: { customer_id_type: "mobile_number", customer_id: "9310231242" },
    },
  ],
  [
    "a sender who exists already",
    CREATE,
    200,
    envelope(17, 1, 17, "x"),
    succeeded({ created: false, next_step: "aadhaar" }),
  ],
  [
    "an initiator that does not exist",
    MOBILE,
    200,
    envelope(319, 1, 319, "Invalid Sender/Initiator"),
    refused("initiator_id", "the initiator does not exist"),
  ],
  [
    "an agent that is not onboarded",
    AEPS,
    200,
    envelope(1297, 1, 1297),
    refused("user_code", "the agent is not onboarded"),
  ],
  ["an empty wallet", MOBILE, 200, envelope(347, 1, 347), refused("credential", "the balance is insufficient")],
  [
    "a message without any code",
    MOBILE,
    200,
    { message: "No key for Response" },
    rejected("parameters are missing or malformed"),
  ],
  [
    "a key of the other environment",
    MOBILE,
    200,
    { message: "Kindly use your production key" },
    refused("credential", "the key is of the other environment"),
  ],
  [
    "a service that is not active, as a message",
    LEVIN,
    200,
    { message: "Customer not allowed" },
    refused("user_code", "the service is not active for the user_code"),
  ],
  [
    "a wrong path",
    LEVIN,
    404,
    { message: "No mapping rule matched" },
    refused("operation", "the provider does not know this call: its path, method or type is wrong"),
  ],
  [
    "the mock server's wrong path",
    LEVIN,
    404,
    { status: 1, message: "No mock for this route" },
    refused("operation", "the provider does not know this call: its path, method or type is wrong"),
  ],
  [
    "a bank that is away",
    LEVIN,
    200,
    envelope(544, 1, 544),
    { kind: "unavailable", reason: "the bank is not available now" },
  ],
  [
    "another transaction in progress",
    LEVIN,
    200,
    envelope(1, -2, 1388),
    { kind: "unavailable", reason: "another transaction of this user is in progress" },
  ],
  [
    "a person whose KYC is done",
    LEVIN,
    200,
    envelope(585, 1, 585),
    succeeded({ otp_sent: false, already_verified: true }),
  ],
  ["a customer who is unknown", LEVIN, 200, envelope(463, 1, 463), rejected("the customer was not found")],
];

const UNREADABLE: Want = { kind: "unknown", reason: "the reply cannot be read" };
const SERVER_ERROR: Want = { kind: "unknown", reason: "the provider failed without saying whether it was done" };
const WRONG_CALL = refused("operation", "the provider does not know this call: its path, method or type is wrong");
const BAD_CREDENTIAL = refused("credential", "the provider refused the credential");
const NO_REFERENCE: Want = {
  kind: "unknown",
  reason: "an OTP was sent, but the reply lacks the reference to verify it with",
};
const OWN_REFERENCE = { otp_ref_id: "73849201" }; // of the example's input

/** What is not documented, or documented of the transport only. */
const OTHERS: Case[] = [
  ["nothing at all", LEVIN, 204, "", UNREADABLE],
  ["an empty body", LEVIN, 200, "", UNREADABLE],
  ["HTML", LEVIN, 200, "<html>Bad Gateway</html>", UNREADABLE],
  ["JSON that is cut off", LEVIN, 200, '{"status":0,"response_st', UNREADABLE],
  ["a list", LEVIN, 200, [envelope(0, 0, 2129, "", SENT)], UNREADABLE],
  ["an object without any of the fields", MOBILE, 200, { ok: true }, UNREADABLE],
  ["a status that is a word", MOBILE, 200, { status: "success", message: "OTP has been sent" }, UNREADABLE],
  ["HTML of a gateway, 502", LEVIN, 502, "<html>Bad Gateway</html>", SERVER_ERROR],
  ["HTML of a gateway, 503", LEVIN, 503, "<html>Unavailable</html>", SERVER_ERROR],
  ["an empty 504", LEVIN, 504, "", SERVER_ERROR],
  ["a web server's own 500", MOBILE, 500, { timestamp: 1, status: 500, error: "Internal Server Error" }, SERVER_ERROR],
  ["a web server's own 404", MOBILE, 404, { timestamp: 1, status: 404, error: "Not Found", path: "/x" }, WRONG_CALL],
  ["a gateway's own 200", MOBILE, 200, { status: 200, message: "OK" }, UNREADABLE],
  ["a failure without a meaning, 500", MOBILE, 500, envelope(1, 1, 9999, "x"), SERVER_ERROR],
  ["a status 0 that is not Eko's, 500", MOBILE, 500, { status: 0, message: "oops" }, SERVER_ERROR],
  ["HTML, 403", LEVIN, 403, "<html>Forbidden</html>", BAD_CREDENTIAL],
  ["a bare 401", LEVIN, 401, "", BAD_CREDENTIAL],
  ["an envelope with -1, 403", LEVIN, 403, envelope(403, -1, 1388, "Unauthorized"), BAD_CREDENTIAL],
  ["a 403 that was cut off", LEVIN, 403, null, BAD_CREDENTIAL],
  [
    "an initiator refused by 403",
    MOBILE,
    403,
    { message: "Invalid Sender/Initiator" },
    refused("initiator_id", "the initiator does not exist"),
  ],
  [
    "an initiator refused by 401",
    MOBILE,
    401,
    envelope(319, 1, 319, "Invalid Sender/Initiator"),
    refused("initiator_id", "the initiator does not exist"),
  ],
  [
    "an initiator named in invalid_params",
    MOBILE,
    200,
    { ...envelope(97, 1, -1), invalid_params: { initiator_id: "Merchant does not exist in system." } },
    refused("initiator_id", "the initiator_id is not accepted"),
  ],
  [
    "an agent named in invalid_params",
    LEVIN,
    200,
    { ...envelope(97, 1, -1), invalid_params: { user_code: "x" } },
    refused("user_code", "the user_code is not accepted"),
  ],
  [
    "the 346 of an agent with status 0",
    AEPS,
    200,
    envelope(0, 0, 346),
    refused("user_code", "the service is not active for the user_code"),
  ],
  ["a wrong method", LEVIN, 405, "", WRONG_CALL],
  ["a wrong type", LEVIN, 415, "", WRONG_CALL],
  ["a redirect", LEVIN, 302, "", WRONG_CALL],
  ["a gateway's 408", LEVIN, 408, "", { kind: "unknown", reason: "the provider timed out waiting for the request" }],
  ["a bare 400", LEVIN, 400, "", rejected("declined by the provider")],
  ["a 400 that was cut off", LEVIN, 400, null, UNREADABLE],
  [
    "a status no table has",
    LEVIN,
    200,
    envelope(7777, 1, 7777, "Something else"),
    rejected("declined by the provider"),
  ],
  ["the same under 404", LEVIN, 404, envelope(7777, 1, 7777), rejected("declined by the provider")],
  [
    "a known code under 500",
    LEVIN,
    500,
    envelope(2138, 1, 2138),
    rejected("wrong OTP, or the Aadhaar number is not valid"),
  ],
  [
    "a bank that is away, under 500",
    LEVIN,
    500,
    envelope(544, 1, 544),
    {
      kind: "unavailable",
      reason: "the bank is not available now",
    },
  ],

  // Codes that contradict each other: a success by `status` alone is none where another code says no.
  ["a wrong OTP under status 0", MOBILE_VERIFY, 200, envelope(0, 302, 1632), rejected("wrong OTP")],
  ["an expired OTP under status 0", LEVIN_VERIFY, 200, envelope(0, 303, 2134), rejected("OTP expired")],
  ["a wrong OTP under a success type", LEVIN_VERIFY, 200, envelope(2134, 302, 2134), rejected("wrong OTP")],
  ["a wrong OTP under status 0 alone", AEPS_VERIFY, 200, { status: 0, response_status_id: 302 }, rejected("wrong OTP")],
  [
    "a failed eKYC that calls itself pending",
    LEVIN_VERIFY,
    200,
    envelope(2134, 1, 2135, "Customer KYC Pending"),
    rejected("the customer's biometric KYC is pending"),
  ],
  [
    "a verify while another transaction is in progress",
    MOBILE_VERIFY,
    200,
    envelope(1, -2, 1632),
    { kind: "unavailable", reason: "another transaction of this user is in progress" },
  ],
  [
    "a success beside another transaction in progress",
    MOBILE_VERIFY,
    200,
    envelope(0, -2, 1632),
    { kind: "unknown", reason: "the reply says both that it was done and that it was not" },
  ],
  [
    "an unknown customer of a send, under status 0",
    MOBILE,
    200,
    envelope(0, 463, 1388),
    rejected("the customer was not found"),
  ],
  [
    "an unknown customer of a look-up",
    SENDER,
    200,
    envelope(308, 463, 308, "Failure!Customer Not Enrolled"),
    succeeded({ registered: false, next_step: "create" }),
  ],
  [
    "a wrong OTP whose reason is no text",
    AEPS_VERIFY,
    200,
    envelope(461, 1, 461, "Failed!Please try after some time", {
      reason: { toString: 1, valueOf: 1 },
      description: [],
    }),
    rejected("wrong or expired OTP, or an earlier step is missing"),
  ],

  // The classification trap (facts/eko §3.1).
  ["an OTP sent under 500", LEVIN, 500, envelope(2129, 1, 2129, "Validate the OTP", SENT), LEVIN_SENT],
  ["an OTP sent under 400, as a failure", LEVIN, 400, envelope(1, 1, 1388, "Failed", SENT), LEVIN_SENT],
  ["an OTP sent under 429", LEVIN, 429, envelope(1, 1, 1388, "Failed", SENT), LEVIN_SENT],
  ["an OTP sent without any code", LEVIN, 200, { data: SENT }, LEVIN_SENT],
  ["an OTP sent with its data in a list", LEVIN, 200, envelope(2129, 1, 2129, "", [SENT]), LEVIN_SENT],
  ["an OTP sent with numbers as text", LEVIN, 200, envelope("2129", "1", "2129", "", SENT), LEVIN_SENT],
  ["an OTP sent whose reference is lost", LEVIN, 200, envelope(2129, 1, 2129, "Validate the OTP", {}), NO_REFERENCE],
  ["an OTP sent whose reference is empty", LEVIN, 200, envelope(0, 0, 2129, "", { otp_ref_id: "" }), NO_REFERENCE],
  ["an OTP sent whose reference is an object", LEVIN, 200, envelope(0, 0, 2129, "", { otp_ref_id: {} }), NO_REFERENCE],
  ["an AePS OTP sent without reference_tid", AEPS, 200, envelope(0, 0, 1600, "", { otp_ref_id: "1" }), NO_REFERENCE],
  ["an AePS failure with a new reference only", AEPS, 200, envelope(1, 1, 1388, "", { otp_ref_id: "1" }), NO_REFERENCE],
  [
    "a failure that echoes the request's reference",
    LEVIN,
    200,
    envelope(2138, 1, 2138, "Adhar Validation Failed", OWN_REFERENCE),
    rejected("wrong OTP, or the Aadhaar number is not valid"),
  ],
  [
    "a success that keeps the request's reference",
    LEVIN,
    200,
    envelope(2129, 1, 2129, "Validate the OTP", OWN_REFERENCE),
    succeeded({ otp_sent: true, ...OWN_REFERENCE }),
  ],
  [
    "a reference that JSON.parse would round",
    LEVIN,
    200,
    '{"status":0,"response_status_id":0,"response_type_id":2129,"data":{"otp_ref_id":12345678901234567890}}',
    succeeded({ otp_sent: true, otp_ref_id: "12345678901234567890" }),
  ],

  // What must never pass as a right OTP.
  ["1632 without a status", MOBILE_VERIFY, 200, { response_type_id: 1632, response_status_id: 0 }, UNREADABLE],
  [
    "1632 with a failure id",
    MOBILE_VERIFY,
    200,
    { response_type_id: 1632, response_status_id: 1 },
    rejected("wrong or expired OTP"),
  ],
  ["1632 with a failure under 500", MOBILE_VERIFY, 500, envelope(1, 1, 1632), rejected("wrong or expired OTP")],
  [
    "status 0 with a type that says no",
    LEVIN_VERIFY,
    200,
    envelope(0, 0, 2138, "Invalid OTP"),
    rejected("wrong OTP, or the Aadhaar number is not valid"),
  ],
  [
    "status 0 that says not verified",
    LEVIN_VERIFY,
    200,
    envelope(0, 0, 1388, "", { verified: false }),
    rejected("the provider did not verify it"),
  ],
  [
    "status 0 in progress",
    LEVIN_VERIFY,
    200,
    envelope(0, -2, 1388),
    {
      kind: "unavailable",
      reason: "another transaction of this user is in progress",
    },
  ],
  ["a status 0 under 403", LEVIN_VERIFY, 403, envelope(0, 0, 1388), BAD_CREDENTIAL],
  ["an otp_ref_id in a failed verify", LEVIN_VERIFY, 200, envelope(2131, 1, 2131, "", SENT), rejected("wrong OTP")],
];

describe("a reply of Eko", () => {
  it.each([...DOCUMENTED, ...OTHERS])("%s (%s, HTTP %i)", (_, operation, http, body, want) => {
    const answer =
      body === null ? { kind: "reply" as const, status: http, headers: {}, text: null } : reply(http, body);
    const { reply: facts, ...ending } = read(operation, answer);
    expect(ending).toEqual(want);
    expect(facts.http_status).toBe(http);
    expect(facts.sub_code).toBeNull();
  });

  it("after onboarding's OTP asks for Aadhaar next", () => {
    const body = envelope(2136, 1, 2136, "Aadhar Validation Pending");
    expect(read(LEVIN_VERIFY, reply(200, body), { intent_id: "19" })).toMatchObject({
      kind: "succeeded",
      result: { verified: true, next_step: "aadhaar" },
    });
  });

  it.each([
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "Wed, 21 Oct 2026 07:28:10 GMT", date: "Wed, 21 Oct 2026 07:28:00 GMT" }, 10_000],
    [{ "retry-after": "Wed, 21 Oct 2026 07:28:10 GMT" }, null],
    [{}, null],
  ])("is throttled by 429 with %j", (headers, retryAfterMs) => {
    expect(read(MOBILE, reply(429, "", headers))).toMatchObject({ kind: "throttled", retryAfterMs });
  });

  it.each<[boolean, NoReplyCause, string, string]>([
    [
      false,
      { kind: "network", code: "ECONNREFUSED" },
      "unavailable",
      "the provider could not be reached (ECONNREFUSED)",
    ],
    [
      false,
      { kind: "network", code: "UND_ERR_CONNECT_TIMEOUT" },
      "unavailable",
      "the provider could not be reached (UND_ERR_CONNECT_TIMEOUT)",
    ],
    [true, { kind: "timeout" }, "unknown", "no reply after the request was written (timeout)"],
    [
      true,
      { kind: "malformed", code: "HPE_INVALID_CONSTANT" },
      "unknown",
      "no reply that can be read (HPE_INVALID_CONSTANT)",
    ],
    [true, { kind: "error", name: "HTTPParserError" }, "unknown", "no reply after the request was written"],
  ])("that never came (written: %s, %j) is %s", (written, cause, kind, reason) => {
    expect(read(MOBILE, noReply(written, cause))).toMatchObject({ kind, reason, noReply: cause });
  });
});

describe("a send's new reference", () => {
  it.each([
    ["0073849201", 73_849_201],
    [" 73849201", "73849201"],
  ])("is none that repeats the request's %j as %j", (otp_ref_id, echoed) => {
    const answer = reply(200, envelope(2138, 1, 2138, "Adhar Validation Failed", { otp_ref_id: echoed }));
    expect(read(LEVIN, answer, { otp_ref_id })).toMatchObject({ kind: "rejected" });
  });
});

describe("what is kept of a reply of Eko", () => {
  it("is its codes and a documented text", () => {
    expect(read(LEVIN, reply(200, envelope(2129, 1, 2129, "Validate the OTP", SENT))).reply).toEqual({
      http_status: 200,
      status: 2129,
      response_status_id: 1,
      response_type_id: 2129,
      sub_code: null,
      message: "Validate the OTP",
    });
  });

  it("is our meaning of the code instead of any other text", () => {
    const { reply: facts } = read(LEVIN, reply(200, envelope(463, 1, 463, "Asha Example was not found")));
    expect(facts.message).toBe("the customer was not found");
    expect(read(LEVIN, reply(200, envelope(0, 0, 2129, "Hello Asha", SENT))).reply.message).toBeNull();
  });

  it("is never a code that could be a number of somebody", () => {
    const codes = (status: unknown): unknown => read(LEVIN_VERIFY, reply(200, envelope(status, status, status))).reply;
    const kept = (code: number | null): object => ({ status: code, response_status_id: code, response_type_id: code });
    expect(codes(123_456)).toMatchObject(kept(null)); // the example's OTP
    expect(codes(999_999_990_019)).toMatchObject(kept(null));
    expect(codes(7777)).toMatchObject(kept(7777));
    expect(read(MOBILE_VERIFY, reply(200, envelope(3643, 1, 3643))).reply).toMatchObject({ status: null });
  });

  it("is a reference in clear only if it repeats nothing of the input", () => {
    const otp_ref_id = "9876543210~9876543210~Channel4~1~2";
    const outcome = read(LEVIN, reply(200, envelope(0, 0, 2129, "", { otp_ref_id })));
    expect(outcome).toMatchObject({ kind: "succeeded", result: { otp_sent: true }, personal: { otp_ref_id } });
    expect(JSON.stringify(outcome.kind === "succeeded" && outcome.result)).not.toContain("9876543210");
  });

  it("is a reference in clear only if it reads like one", () => {
    const data = { client_ref_id: "x".repeat(21), tid: "Asha Example" };
    expect(read(MOBILE, reply(200, envelope(0, 0, 1623, "", data)))).toMatchObject({
      result: { otp_sent: true, otp_valid_until: null },
      personal: data,
    });
  });
});
