import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import { AGENT, type Answered, type Bundle, setup, textAt, wrongFor } from "../setup.ts";
import { ANY_TEXT, like } from "../like.ts";

const AADHAAR = madeUpAadhaar(1);
const MOBILE = madeUpMobile(1);
const SENDER = `/customer/payment/dmt-levin/sender/${MOBILE}`;

async function send(bundle: Bundle, fields: object = {}, mobile = MOBILE): Promise<Answered> {
  const path = `/customer/payment/dmt-levin/sender/${mobile}/aadhaar/otp`;
  return bundle.eko("POST", path, {
    ...AGENT,
    aadhar: AADHAAR,
    otp_ref_id: "73849201",
    additional_info: "1",
    ...fields,
  });
}

async function verify(bundle: Bundle, fields: object, mobile = MOBILE): Promise<Answered> {
  const path = `/customer/payment/dmt-levin/sender/${mobile}/aadhaar/otp/verify`;
  return bundle.eko("POST", path, { ...AGENT, intent_id: "20", additional_info: "1", ...fields });
}

/** Sends one; gives what a verify needs. */
async function sent(bundle: Bundle): Promise<{ otp: string; otp_ref_id: string }> {
  const otp_ref_id = textAt(await send(bundle), "data.otp_ref_id");
  const { otp, reference } = await bundle.simulator.waitForOtp(AADHAAR);
  expect(reference).toBe(otp_ref_id);
  return { otp, otp_ref_id };
}

const WRONG = { status: 2131, response_status_id: 302, response_type_id: 2131, data: { description: "Wrong OTP" } };
const EXPIRED = { status: 2131, response_status_id: 303, response_type_id: 2131, data: { description: "OTP expired" } };

describe("DMT-Levin Aadhaar OTP", () => {
  it("says that the OTP was sent in both envelopes, by turns, with another reference each time", async () => {
    await using bundle = await setup();
    const first = await send(bundle);
    const second = await send(bundle);
    expect(first).toMatchObject({
      status: 200,
      body: { status: 2129, response_status_id: 1, response_type_id: 2129, message: "Validate the OTP" },
    });
    expect(textAt(first, "data.otp_ref_id")).toMatch(/^[0-9a-f]{8}-/);
    expect(second.body).toMatchObject({
      status: 0,
      response_status_id: 0,
      response_type_id: 2129,
      data: { mobile_hint: `******${MOBILE.slice(6)}`, otp_ref_id: like(/^\d{8}$/) },
    });
  });

  it.each([
    ["2129", { status: 2129, response_type_id: 2129 }],
    ["zero", { status: 0, response_type_id: 2129 }],
    ["seed", { status: 0, response_type_id: 1388, message: "Aadhaar OTP dispatched successfully" }],
  ] as const)("keeps to one envelope if it is set so: %s", async (otpSentEnvelope, body) => {
    await using bundle = await setup({ configuration: { otpSentEnvelope } });
    expect((await send(bundle)).body).toMatchObject(body);
    expect((await send(bundle)).body).toMatchObject(body);
  });

  it("puts the OTP into the outbox, for the Aadhaar and for the mobile number", async () => {
    await using bundle = await setup();
    await send(bundle, { client_ref_id: "ref-1" });
    const message = await bundle.simulator.waitForOtp(MOBILE);
    expect(message).toMatchObject({
      to: AADHAAR,
      mobile: MOBILE,
      operation: "eko.dmt-levin.aadhaar-otp",
      otp: like(/^\d{6}$/),
      client_ref_id: "ref-1",
    });
    expect(await bundle.simulator.waitForOtp(AADHAAR)).toEqual(message);
  });

  it("takes the Aadhaar number in clear only", async () => {
    await using bundle = await setup();
    expect((await send(bundle, { aadhar: bundle.encrypt(AADHAAR) })).body).toMatchObject({
      status: 97,
      response_type_id: -1,
      invalid_params: { aadhar: "Please provide the value of the field {2} {3}" },
    });
    expect(bundle.simulator.outbox).toEqual([]);
  });

  it("refuses a reference that the sender call did not give, if it is set so", async () => {
    await using bundle = await setup({ configuration: { checkSenderReference: true } });
    expect((await send(bundle)).body).toMatchObject({ status: 97, invalid_params: { otp_ref_id: ANY_TEXT } });
    const reference = textAt(await bundle.eko("GET", SENDER, AGENT), "data.otp_ref_id");
    expect((await send(bundle, { otp_ref_id: reference })).body).toMatchObject({ response_type_id: 2129 });
  });

  it.each([
    ["138", { status: 2138, response_type_id: 2138 }],
    ["114", { status: 2138, response_type_id: 2138 }],
    ["998", { status: 1, response_status_id: 301, response_type_id: 1388 }],
  ])("rejects an Aadhaar number that ends with %s", async (ending, body) => {
    await using bundle = await setup();
    expect((await send(bundle, { aadhar: madeUpAadhaar(1, ending) })).body).toMatchObject(body);
    expect(bundle.simulator.outbox).toEqual([]);
  });
});

describe("DMT-Levin Aadhaar OTP verify", () => {
  it("confirms as the seed's page does, once", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    expect((await verify(bundle, given)).body).toEqual({
      status: 0,
      response_status_id: 0,
      response_type_id: 1388,
      message: "Aadhaar OTP verified successfully",
      data: {
        verified: true,
        name: ANY_TEXT,
        gender: like(/^[MF]$/),
        dob: like(/^\d{2}-\d{2}-\d{4}$/),
        masked_aadhaar: `XXXX-XXXX-${AADHAAR.slice(8)}`,
      },
    });
    expect((await verify(bundle, given)).body).toMatchObject(EXPIRED);
  });

  it("takes numbers for OTP and reference where they lose nothing", async () => {
    await using bundle = await setup({ configuration: { otpSentEnvelope: "zero" }, random: () => 0.5 });
    const { otp, otp_ref_id } = await sent(bundle);
    const answered = await verify(bundle, { otp: Number(otp), otp_ref_id: Number(otp_ref_id) });
    expect(answered.body).toMatchObject({ status: 0 });
  });

  it("confirms with 2134 and a new reference, if it is set so", async () => {
    await using bundle = await setup({ configuration: { levinVerified: "2134" } });
    const given = await sent(bundle);
    const answered = await verify(bundle, given);
    expect(answered.body).toMatchObject({ status: 2134, response_status_id: 1, response_type_id: 2134 });
    expect(textAt(answered, "data.otp_ref_id")).not.toBe(given.otp_ref_id);
  });

  it("answers intent 19 with 2136 while the Aadhaar is not validated, and with 2134 after it", async () => {
    await using bundle = await setup();
    const before = await sent(bundle);
    expect((await verify(bundle, { ...before, intent_id: "19" })).body).toMatchObject({ status: 2136 });
    await verify(bundle, await sent(bundle));
    const after = await sent(bundle);
    expect((await verify(bundle, { ...after, intent_id: 19 })).body).toMatchObject({ status: 2134 });
  });

  it("refuses a wrong OTP and still takes the right one", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    expect((await verify(bundle, { ...given, otp: wrongFor(given.otp) })).body).toMatchObject(WRONG);
    expect((await verify(bundle, given)).body).toMatchObject({ status: 0 });
  });

  it("kills an OTP after three wrong tries", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    const wrong = { ...given, otp: wrongFor(given.otp) };
    for (const answered of [await verify(bundle, wrong), await verify(bundle, wrong), await verify(bundle, wrong)]) {
      expect(answered.body).toMatchObject(WRONG);
    }
    expect((await verify(bundle, given)).body).toMatchObject(EXPIRED);
  });

  it("refuses an OTP when its ten minutes are over", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    bundle.clock.ms += 600_000;
    expect((await verify(bundle, given)).body).toMatchObject(EXPIRED);
  });

  it("refuses an OTP of another customer, of a replaced reference, or of none", async () => {
    await using bundle = await setup();
    const replaced = await sent(bundle);
    const given = await sent(bundle);
    expect((await verify(bundle, given, madeUpMobile(2))).body).toMatchObject(WRONG);
    expect((await verify(bundle, replaced)).body).toMatchObject(EXPIRED);
    expect((await verify(bundle, { ...given, otp_ref_id: "nothing" })).body).toMatchObject(WRONG);
    expect((await verify(bundle, given)).body).toMatchObject({ status: 0 });
  });

  it("does not know another intent", async () => {
    await using bundle = await setup();
    expect((await verify(bundle, { otp: "1", otp_ref_id: "1", intent_id: "21" })).body).toMatchObject({
      status: 97,
      invalid_params: { intent_id: ANY_TEXT },
    });
  });

  it.each([
    ["302", WRONG],
    ["303", EXPIRED],
  ])("refuses any OTP of a person whose number ends with %s", async (ending, body) => {
    await using bundle = await setup();
    const aadhar = madeUpAadhaar(1, ending);
    const otp_ref_id = textAt(await send(bundle, { aadhar }), "data.otp_ref_id");
    const { otp } = await bundle.simulator.waitForOtp(aadhar);
    expect((await verify(bundle, { otp, otp_ref_id })).body).toMatchObject(body);
  });
});

describe("DMT-Levin sender", () => {
  const CREATE = { ...AGENT, name: "Ira Bose", dob: "1990-01-31", residence_address: { line: "1 Main Road" } };

  it("takes an unknown number for one whose Aadhaar is pending, and gives the next step's reference", async () => {
    await using bundle = await setup();
    const answered = await bundle.eko("GET", SENDER, AGENT);
    expect(answered).toMatchObject({
      status: 200,
      body: { status: 2136, response_status_id: 1, response_type_id: 2136, message: "Aadhar Validation Pending" },
    });
    expect(textAt(answered, "data.otp_ref_id")).not.toBe("");
  });

  it("opens a wallet without sending an OTP", async () => {
    await using bundle = await setup();
    const answered = await bundle.eko("POST", SENDER, CREATE);
    expect(answered.body).toMatchObject({
      status: 0,
      response_status_id: 0,
      response_type_id: 300,
      data: { customer_id: MOBILE, user_code: AGENT.user_code, otp_ref_id: ANY_TEXT },
    });
    expect(bundle.simulator.outbox).toEqual([]);
  });

  it("refuses a date of birth in the order in which it returns one", async () => {
    await using bundle = await setup();
    expect((await bundle.eko("POST", SENDER, { ...CREATE, dob: "31-01-1990" })).body).toMatchObject({
      invalid_params: { dob: ANY_TEXT },
    });
  });

  it("walks ending 308 from not enrolled over created to a profile", async () => {
    await using bundle = await setup();
    const mobile = madeUpMobile(1, "308");
    const path = `/customer/payment/dmt-levin/sender/${mobile}`;
    expect((await bundle.eko("GET", path, AGENT)).body).toMatchObject({ status: 308, response_type_id: 308 });
    await bundle.eko("POST", path, CREATE);
    expect((await bundle.eko("GET", path, AGENT)).body).toMatchObject({ status: 2136 });
    const otp_ref_id = textAt(await send(bundle, {}, mobile), "data.otp_ref_id");
    const { otp } = await bundle.simulator.waitForOtp(mobile);
    await verify(bundle, { otp, otp_ref_id }, mobile);
    expect((await bundle.eko("GET", path, AGENT)).body).toMatchObject({
      status: 0,
      response_status_id: -1,
      response_type_id: 309,
      data: { customer_profile: { mobile } },
    });
  });

  it("has a profile for ending 309", async () => {
    await using bundle = await setup();
    const path = `/customer/payment/dmt-levin/sender/${madeUpMobile(1, "309")}`;
    expect((await bundle.eko("GET", path, AGENT)).body).toMatchObject({ response_type_id: 309 });
  });
});
