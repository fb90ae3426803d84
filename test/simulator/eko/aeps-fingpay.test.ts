import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import { AGENT, type Answered, type Bundle, setup, textAt, wrongFor } from "../setup.ts";
import { ANY_TEXT, like } from "../like.ts";

const AADHAAR = madeUpAadhaar(1);
const CUSTOMER = { ...AGENT, customer_id: madeUpMobile(1), latlong: "28.6139,77.2090" };
const SEND = "/user/collection/aeps-fingpay/kyc/otp";
const VERIFY = "/user/collection/aeps-fingpay/kyc/otp/verify";

interface References {
  readonly otp: string;
  readonly otp_ref_id: string;
  readonly reference_tid: string;
}

async function sent(bundle: Bundle): Promise<References> {
  const answered = await bundle.eko("POST", SEND, { ...CUSTOMER, aadhar: bundle.encrypt(AADHAAR) });
  const { otp } = await bundle.simulator.waitForOtp(AADHAAR);
  return {
    otp,
    otp_ref_id: textAt(answered, "data.otp_ref_id"),
    reference_tid: textAt(answered, "data.reference_tid"),
  };
}

async function verify(bundle: Bundle, fields: object): Promise<Answered> {
  return bundle.eko("PUT", VERIFY, { ...CUSTOMER, aadhar: bundle.encrypt(AADHAAR), ...fields });
}

const FAILED = {
  status: 461,
  response_status_id: 1,
  response_type_id: 461,
  message: "Failed!Please try after some time",
  data: { last_used_okekey: "", reason: like("OTP has expired") },
};

describe("AePS Fingpay eKYC OTP", () => {
  it.each(["aadhar", "aadhaar"])("is sent to the Aadhaar number encrypted in %s", async (field) => {
    await using bundle = await setup();
    const fields = { ...CUSTOMER, [field]: bundle.encrypt(AADHAAR), client_ref_id: "ref-1" };
    expect((await bundle.eko("POST", SEND, fields)).body).toEqual({
      status: 0,
      response_status_id: 0,
      response_type_id: 1600,
      message: "OTP request has been sent",
      data: {
        reference_tid: like(/^EKYKF\d{22}I$/),
        otp_ref_id: like(/^\d{9}$/),
      },
    });
    expect(bundle.simulator.outbox).toMatchObject([
      { to: AADHAAR, mobile: CUSTOMER.customer_id, client_ref_id: "ref-1" },
    ]);
  });

  it.each([
    ["in clear", AADHAAR],
    ["that is cut off", "AAAA"],
  ])("refuses an Aadhaar number %s", async (_, aadhar) => {
    await using bundle = await setup();
    expect((await bundle.eko("POST", SEND, { ...CUSTOMER, aadhar })).body).toMatchObject({
      status: 97,
      response_status_id: 1,
      response_type_id: -1,
      invalid_params: { aadhar: "Please provide the value of the field {2} {3}" },
    });
  });

  it.each(["28.6139, 77.2090", "28.6139", "north,east"])("refuses the position %j", async (latlong) => {
    await using bundle = await setup();
    const fields = { ...CUSTOMER, aadhar: bundle.encrypt(AADHAAR), latlong };
    expect((await bundle.eko("POST", SEND, fields)).body).toMatchObject({
      status: 97,
      invalid_params: { latlong: ANY_TEXT },
    });
  });

  it.each(["114", "998", "138"])("fails with 461 for an Aadhaar number that ends with %s", async (ending) => {
    await using bundle = await setup();
    const aadhar = bundle.encrypt(madeUpAadhaar(1, ending));
    expect((await bundle.eko("POST", SEND, { ...CUSTOMER, aadhar })).body).toMatchObject({ status: 461 });
    expect(bundle.simulator.outbox).toEqual([]);
  });
});

describe("AePS Fingpay eKYC OTP verify", () => {
  it("gives new references for the biometric step, once", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    const answered = await verify(bundle, given);
    expect(answered.body).toEqual({
      status: 0,
      response_status_id: 0,
      response_type_id: 1604,
      message: "Validation successful",
      data: {
        user_code: AGENT.user_code,
        reference_tid: like(/^BEKYF\d{22}I$/),
        otp_ref_id: like(/^\d{6}$/),
      },
    });
    expect((await verify(bundle, given)).body).toMatchObject(FAILED);
  });

  it("fails for a wrong OTP, and for one of another reference, person or customer", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    const wrong = [
      { ...given, otp: wrongFor(given.otp) },
      { ...given, otp_ref_id: "1" },
      { ...given, reference_tid: "EKYKF1I" },
      { ...given, aadhar: bundle.encrypt(madeUpAadhaar(2)) },
      { ...given, customer_id: madeUpMobile(2) },
    ];
    for (const fields of wrong) expect((await verify(bundle, fields)).body).toMatchObject(FAILED);
    expect((await verify(bundle, given)).body).toMatchObject({ status: 0 });
  });

  it("fails for an expired OTP", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    bundle.clock.ms += 600_000;
    expect((await verify(bundle, given)).body).toMatchObject(FAILED);
  });
});
