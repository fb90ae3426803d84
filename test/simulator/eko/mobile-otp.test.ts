import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { AGENT, type Answered, type Bundle, setup, wrongFor } from "../setup.ts";
import { like } from "../like.ts";

const MOBILE = madeUpMobile(1);
const { initiator_id } = AGENT;

async function send(bundle: Bundle, client_ref_id: string, mobile = MOBILE): Promise<string> {
  const answered = await bundle.eko("POST", "/tools/kyc/mobile/otp", {
    initiator_id,
    csp_id: MOBILE,
    mobile,
    client_ref_id,
  });
  expect(answered).toMatchObject({ status: 200, body: { status: 0 } });
  return (await bundle.simulator.waitForOtp(mobile)).otp;
}

async function verify(bundle: Bundle, client_ref_id: string, otp: string | number, mobile = MOBILE): Promise<Answered> {
  return bundle.eko("PUT", "/tools/kyc/mobile/otp/verify", { initiator_id, mobile, client_ref_id, otp });
}

const FAILED = {
  status: 1,
  response_status_id: 1,
  response_type_id: 1632,
  message: "OTP verification failed.",
  data: {},
};
const NOT_FOUND = {
  status: 1,
  response_status_id: 1,
  response_type_id: 1632,
  message: "OTP not found. Please make the OTP request again.",
};

describe("mobile OTP", () => {
  it("is sent with its end in Indian time as Java writes it", async () => {
    await using bundle = await setup();
    const fields = { initiator_id, csp_id: MOBILE, mobile: MOBILE, client_ref_id: "ref-1" };
    expect((await bundle.eko("POST", "/tools/kyc/mobile/otp", fields)).body).toEqual({
      status: 0,
      response_status_id: 0,
      response_type_id: 1623,
      message: "OTP has been sent",
      data: {
        client_ref_id: "ref-1",
        initiator_id,
        otp_expiry_timestamp: "Fri May 22 16:14:04 IST 2026",
        tid: like(/^\d{10}$/),
      },
    });
    expect(bundle.simulator.outbox).toMatchObject([{ to: MOBILE, mobile: null, client_ref_id: "ref-1" }]);
  });

  it("is told in the reply, as on UAT, if it is set so", async () => {
    await using bundle = await setup({ configuration: { echoOtp: true } });
    const fields = { initiator_id, csp_id: MOBILE, mobile: MOBILE };
    const answered = await bundle.eko("POST", "/tools/kyc/mobile/otp", fields);
    expect(answered.body).toMatchObject({ data: { otp: bundle.simulator.outbox[0]?.otp } });
  });

  it("may begin with 0, and is another one every time", async () => {
    await using bundle = await setup();
    const otps: string[] = [];
    for (let index = 0; index < 100; index += 1) otps.push(await send(bundle, "ref-1", madeUpMobile(index)));
    expect(otps.every((otp) => /^\d{6}$/.test(otp))).toBe(true);
    expect(otps.some((otp) => otp.startsWith("0"))).toBe(true);
    expect(new Set(otps).size).toBeGreaterThan(95);
  });

  it("rejects ending 998", async () => {
    await using bundle = await setup();
    const fields = { initiator_id, csp_id: MOBILE, mobile: madeUpMobile(1, "998") };
    expect((await bundle.eko("POST", "/tools/kyc/mobile/otp", fields)).body).toMatchObject({ status: 463 });
  });
});

describe("mobile OTP verify", () => {
  it("gives a verification token, once", async () => {
    await using bundle = await setup();
    const otp = await send(bundle, "ref-1");
    expect((await verify(bundle, "ref-1", otp)).body).toEqual({
      status: 0,
      response_status_id: 0,
      response_type_id: 1632,
      message: "OTP verification successful.",
      data: {
        client_ref_id: "ref-1",
        otp_verification_token: like(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
        initiator_id,
        mobile: MOBILE,
        tid: like(/^\d{10}$/),
      },
    });
    expect((await verify(bundle, "ref-1", otp)).body).toEqual(NOT_FOUND);
  });

  it("finds nothing under another client_ref_id or for another number", async () => {
    await using bundle = await setup();
    const otp = await send(bundle, "ref-1");
    expect((await verify(bundle, "ref-2", otp)).body).toEqual(NOT_FOUND);
    expect((await verify(bundle, "ref-1", otp, madeUpMobile(2))).body).toEqual(NOT_FOUND);
    expect((await verify(bundle, "ref-1", otp)).body).toMatchObject({ status: 0 });
  });

  it("fails for a wrong OTP and for one that has lost its leading zero", async () => {
    await using bundle = await setup({ random: () => 0.05 });
    const otp = await send(bundle, "ref-1");
    expect(otp).toBe("050000");
    expect((await verify(bundle, "ref-1", wrongFor(otp))).body).toEqual(FAILED);
    expect((await verify(bundle, "ref-1", Number(otp))).body).toEqual(FAILED);
    expect((await verify(bundle, "ref-1", otp)).body).toMatchObject({ status: 0 });
  });

  it("finds nothing after three wrong tries", async () => {
    await using bundle = await setup();
    const otp = await send(bundle, "ref-1");
    for (let n = 0; n < 3; n += 1) expect((await verify(bundle, "ref-1", wrongFor(otp))).body).toEqual(FAILED);
    expect((await verify(bundle, "ref-1", otp)).body).toEqual(NOT_FOUND);
  });

  it("fails for an expired OTP in the same words", async () => {
    await using bundle = await setup({ configuration: { otpTtlMs: 5_000 } });
    const otp = await send(bundle, "ref-1");
    bundle.clock.ms += 5_000;
    expect((await verify(bundle, "ref-1", otp)).body).toEqual(FAILED);
  });
});
