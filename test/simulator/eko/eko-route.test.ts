import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import { AGENT, type Bundle, NOW, setup } from "../setup.ts";
import { ANY_TEXT, like } from "../like.ts";

const MOBILE = madeUpMobile(1);
const OTP = "/tools/kyc/mobile/otp";
const FIELDS = { ...AGENT, csp_id: MOBILE, mobile: MOBILE };

let bundle: Bundle;
beforeAll(async () => {
  bundle = await setup();
});
afterAll(async () => bundle.simulator.close());

describe("what every Eko call is checked for", () => {
  it("answers 404 to a path that it does not have, before it looks at the signature", async () => {
    const answered = await bundle.eko("POST", "/tools/kyc/mobile/otp/again", FIELDS, { "secret-key": "" });
    expect(answered).toMatchObject({ status: 404, body: { message: "No mapping rule matched" } });
  });

  it("answers 405 to another method", async () => {
    expect(await bundle.eko("PUT", OTP, FIELDS)).toMatchObject({ status: 405 });
    expect(await bundle.eko("POST", `${OTP}/verify`, FIELDS)).toMatchObject({ status: 405 });
  });

  it("answers 415 to a form, before it looks at the signature", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded", "secret-key": "" };
    expect(await bundle.eko("POST", OTP, FIELDS, headers)).toMatchObject({ status: 415 });
  });

  it("takes a content type with a charset", async () => {
    const headers = { "content-type": "application/json; charset=utf-8" };
    expect(await bundle.eko("POST", OTP, FIELDS, headers)).toMatchObject({ body: { status: 0 } });
  });

  it.each([
    ["a signature that is wrong", { "secret-key": "u30ak/iOGwKCaspqCeiYng8fd98QDx7kF3DBBOadQHk=" }],
    ["a signature for another timestamp", { "secret-key-timestamp": String(NOW + 1) }],
    ["another developer key", { developer_key: "someone-else" }],
  ])("answers 403 to %s", async (_, headers) => {
    expect(await bundle.eko("POST", OTP, FIELDS, headers)).toMatchObject({
      status: 403,
      body: { message: like("Forbidden") },
    });
  });

  it("answers 403 to headers with hyphens in place of underscores", async () => {
    const response = await fetch(`${bundle.simulator.env.EKO_BASE_URL}${OTP}`, {
      method: "POST",
      headers: { "developer-key": "simulated-developer-key", "content-type": "application/json" },
      body: JSON.stringify(FIELDS),
    });
    expect(response.status).toBe(403);
  });

  it("answers 403 to a clock that is more than five minutes off, if it is set so as an HTML page", async () => {
    await using own = await setup({ now: () => NOW + 300_001, configuration: { forbiddenBody: "html" } });
    const answered = await own.eko("POST", OTP, FIELDS);
    expect(answered).toMatchObject({ status: 403, body: like("<html>") });
    own.simulator.configure({ signatureToleranceMs: 300_001 });
    expect(await own.eko("POST", OTP, FIELDS)).toMatchObject({ status: 200 });
  });

  it("answers a body that is no JSON object with a message alone", async () => {
    const answers = await Promise.all([[], [1]].map((body) => bundle.eko("POST", OTP, body)));
    for (const answered of answers) expect(answered.body).toEqual({ message: "No key for Response" });
  });

  it("answers 413 to a body of more than a megabyte", async () => {
    expect(await bundle.eko("POST", OTP, { ...FIELDS, padding: "x".repeat(1_000_000) })).toMatchObject({ status: 413 });
  });

  it("names every field that is missing", async () => {
    expect(await bundle.eko("POST", OTP, { initiator_id: AGENT.initiator_id, csp_id: "" })).toMatchObject({
      status: 200,
      body: {
        status: 97,
        response_status_id: 1,
        response_type_id: -1,
        message: "Please provide the value of the field",
        invalid_params: { csp_id: ANY_TEXT, mobile: ANY_TEXT },
      },
    });
  });

  it.each([
    ["POST", "/customer/payment/dmt-levin/sender/MOBILE/aadhaar/otp", ["aadhar", "otp_ref_id", "additional_info"]],
    ["POST", "/customer/payment/dmt-levin/sender/MOBILE/aadhaar/otp/verify", ["otp", "otp_ref_id"]],
    ["GET", "/customer/payment/dmt-levin/sender/MOBILE", []],
    ["POST", "/customer/payment/dmt-levin/sender/MOBILE", ["name", "dob", "residence_address"]],
    ["PUT", "/tools/kyc/mobile/otp/verify", ["otp", "mobile"]],
    ["POST", "/user/collection/aeps-fingpay/kyc/otp", ["customer_id", "aadhar", "latlong"]],
    [
      "PUT",
      "/user/collection/aeps-fingpay/kyc/otp/verify",
      ["aadhar", "otp", "otp_ref_id", "reference_tid", "latlong"],
    ],
  ])("%s %s requires its own fields", async (method, path, fields) => {
    const answered = await bundle.eko(method, path.replace("MOBILE", MOBILE), {});
    const named = path.includes("mobile") ? fields : ["user_code", ...fields];
    expect(answered.body).toMatchObject({
      status: 97,
      invalid_params: Object.fromEntries(["initiator_id", ...named].map((name) => [name, ANY_TEXT])),
    });
  });

  it("refuses a customer that is no mobile number", async () => {
    const path = "/customer/payment/dmt-levin/sender/12345";
    expect(await bundle.eko("GET", path, AGENT)).toMatchObject({
      body: { status: 97, invalid_params: { customer_id: ANY_TEXT } },
    });
  });

  it("does not know another initiator, nor, after that, another agent", async () => {
    const unknown = { ...FIELDS, initiator_id: "9962981729", user_code: "20810200" };
    expect(await bundle.eko("POST", OTP, unknown)).toMatchObject({
      status: 200,
      body: { status: 319, invalid_params: { initiator_id: "Merchant does not exist in system." } },
    });
    expect(await bundle.eko("POST", OTP, { ...FIELDS, user_code: "20810200" })).toMatchObject({
      body: { status: 346, response_type_id: 346 },
    });
  });

  it("knows further agents and initiators that it was told of", async () => {
    await using own = await setup({ configuration: { userCodes: ["20810200"], initiatorIds: ["9962981729"] } });
    const fields = { ...FIELDS, initiator_id: "9962981729", user_code: "20810200" };
    expect(await own.eko("POST", OTP, fields)).toMatchObject({ body: { status: 0 } });
  });

  it.each(["a reference", "123456789012345678901", "ref#1"])("refuses the client_ref_id %j", async (reference) => {
    expect(await bundle.eko("POST", OTP, { ...FIELDS, client_ref_id: reference })).toMatchObject({
      body: { status: 97, invalid_params: { client_ref_id: ANY_TEXT } },
    });
  });

  it("takes the longest client_ref_id there may be", async () => {
    const answered = await bundle.eko("POST", OTP, { ...FIELDS, client_ref_id: "aA0-_678901234567890" });
    expect(answered.body).toMatchObject({ status: 0, data: { client_ref_id: "aA0-_678901234567890" } });
  });

  it("serves the older paths too", async () => {
    const levin = { ...AGENT, aadhar: madeUpAadhaar(1), otp_ref_id: "1", additional_info: "1" };
    const path = `/customer/account/${MOBILE}/dmt-levin/aadhaar`;
    expect(await bundle.eko("POST", path, levin)).toMatchObject({ body: { response_type_id: 2129 } });
    expect(await bundle.eko("GET", `/customer/profile/${MOBILE}/dmt-levin`, AGENT)).toMatchObject({ status: 200 });
  });
});
