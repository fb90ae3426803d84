import { describe, expect, it } from "vitest";
import { identityOf } from "../../../simulator/identity.ts";
import { madeUpAadhaar } from "../../../simulator/people.ts";
import { type Answered, type Bundle, NOW, setup, textAt, wrongFor } from "../setup.ts";
import { like } from "../like.ts";

const AADHAAR = madeUpAadhaar(1);
const CONSENT = { consent: "Y", purpose: "ForKYC" };
const GENERATE = "/v2/ekyc/aadhaar/generate-otp";
const VERIFY = "/v2/ekyc/aadhaar/verify-otp";

async function generate(bundle: Bundle, query: Record<string, string> = {}): Promise<Answered> {
  return bundle.deepvue(GENERATE, { aadhaar_number: AADHAAR, ...CONSENT, ...query });
}

async function verify(bundle: Bundle, query: Record<string, string>): Promise<Answered> {
  return bundle.deepvue(VERIFY, { ...CONSENT, ...query });
}

async function sent(bundle: Bundle): Promise<{ otp: string; reference_id: string }> {
  const reference_id = textAt(await generate(bundle), "reference_id");
  const { otp, reference } = await bundle.simulator.waitForOtp(AADHAAR);
  expect(reference).toBe(reference_id);
  return { otp, reference_id };
}

const PRODUCT = { timestamp: NOW, transaction_id: like(/^[0-9a-f]{32}$/) };

describe("Deepvue's credentials", () => {
  it.each([
    ["both headers", {}],
    ["the client id", { "x-api-key": "simulated-client-secret" }],
    ["the secret", { "client-id": "simulated-client-id" }],
  ])("answers 403 where %s are missing, before it looks at the query", async (_, headers) => {
    await using bundle = await setup();
    for (const path of [GENERATE, VERIFY]) {
      expect(await bundle.deepvue(path, {}, headers)).toMatchObject({
        status: 403,
        body: { detail: "Not authenticated" },
      });
    }
  });

  it.each([
    ["client id", { "x-api-key": "simulated-client-secret", "client-id": "someone" }],
    ["secret", { "x-api-key": "something", "client-id": "simulated-client-id" }],
  ])("answers 401 to a wrong %s", async (_, headers) => {
    await using bundle = await setup();
    expect(await bundle.deepvue(GENERATE, {}, headers)).toMatchObject({
      status: 401,
      body: { detail: "Invalid client_id or client_secret, access Denied" },
    });
  });

  it("has FastAPI's own answers for other paths and methods", async () => {
    await using bundle = await setup();
    expect(await bundle.deepvue("/v2/ekyc", {})).toMatchObject({ status: 404, body: { detail: "Not Found" } });
    const got = await fetch(`${bundle.simulator.url}${GENERATE}`);
    expect([got.status, await got.json()]).toEqual([405, { detail: "Method Not Allowed" }]);
  });
});

describe("Deepvue generate-otp", () => {
  it("sends an OTP and gives a reference of eight digits", async () => {
    await using bundle = await setup();
    expect(await generate(bundle)).toMatchObject({
      status: 200,
      body: {
        ...PRODUCT,
        code: 200,
        sub_code: "SUCCESS",
        message: "OTP sent to your Registered Mobile number. Check your mobile.",
        reference_id: like(/^\d{8}$/),
      },
    });
    expect(bundle.simulator.outbox).toMatchObject([{ to: AADHAAR, otp: like(/^\d{6}$/) }]);
  });

  it("names every query parameter that is missing in a list", async () => {
    await using bundle = await setup();
    expect(await bundle.deepvue(GENERATE, { consent: "Y" })).toMatchObject({
      status: 422,
      body: {
        detail: [
          { type: "missing", loc: ["query", "aadhaar_number"], msg: "Field required", input: null },
          { type: "missing", loc: ["query", "purpose"] },
        ],
      },
    });
  });

  it("rejects any consent but Y", async () => {
    await using bundle = await setup();
    expect(await generate(bundle, { consent: "y" })).toMatchObject({
      status: 422,
      body: { sub_code: "INVALID_INPUT" },
    });
  });

  it.each(["123456789012", "99994105705", "999941057059"])("rejects the pattern of %s", async (aadhaar_number) => {
    await using bundle = await setup();
    expect(await generate(bundle, { aadhaar_number })).toMatchObject({
      status: 422,
      body: { ...PRODUCT, code: 422, sub_code: "INVALID_INPUT", message: "Invalid Aadhaar Number Pattern." },
    });
  });

  it("answers 409 with an empty reference until the window is over, for that Aadhaar only", async () => {
    await using bundle = await setup();
    await generate(bundle);
    bundle.clock.ms += 59_999;
    expect(await generate(bundle)).toMatchObject({
      status: 409,
      body: {
        code: 409,
        sub_code: "VERIFICATION_PENDING",
        message: "Otp already generated for this aadhaar, please try after some time.",
        reference_id: "",
      },
    });
    expect(await generate(bundle, { aadhaar_number: madeUpAadhaar(2) })).toMatchObject({ status: 200 });
    bundle.clock.ms += 1;
    expect(await generate(bundle)).toMatchObject({ status: 200 });
    expect(bundle.simulator.outbox).toHaveLength(3);
  });

  it("has no window where it is set to nothing", async () => {
    await using bundle = await setup({ configuration: { pendingWindowMs: 0 } });
    await generate(bundle);
    expect(await generate(bundle)).toMatchObject({ status: 200 });
  });

  it.each([
    ["114", [400, 400], { sub_code: "AADHAAR_MOBILE_NOT_LINKED", reference_id: like(/^\d{8}$/) }],
    ["998", [400, 400], { sub_code: "INVALID_INPUT", message: "Invalid UID. Please enter valid UID" }],
    ["138", [422, 422], { sub_code: "INVALID_INPUT", message: "Invalid Aadhaar Number Pattern." }],
    ["409", [409, 200], { sub_code: "VERIFICATION_PENDING", reference_id: "" }],
    ["410", [409, 409], { sub_code: "VERIFICATION_PENDING" }],
    ["500", [500, 200], { sub_code: "SOURCE_FAILURE" }],
    ["544", [500, 500, 200], { sub_code: "SOURCE_FAILURE" }],
    ["503", [503, 200], { detail: "Source Unavailable" }],
    ["429", [429, 200], { detail: "Rate limit exceeded. Please retry after some time." }],
    ["401", [401, 200], { detail: "Invalid client_id or client_secret, access Denied" }],
    ["403", [400, 200], { detail: "Inactive client_id" }],
    ["422", [422, 422], { detail: [{ type: "missing" }] }],
    ["319", [200], { sub_code: "SUCCESS" }],
  ])("answers an Aadhaar number that ends with %s as the table says", async (ending, statuses, first) => {
    await using bundle = await setup();
    const answers: Answered[] = [];
    for (const _ of statuses) answers.push(await generate(bundle, { aadhaar_number: madeUpAadhaar(1, ending) }));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    expect(answers[0]?.body).toMatchObject(first);
    expect(bundle.simulator.outbox).toHaveLength(statuses.filter((status) => status === 200).length);
  });
});

describe("Deepvue verify-otp", () => {
  it("gives the whole record of an invented person, once", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    const person = identityOf(AADHAAR);
    expect(await verify(bundle, given)).toMatchObject({ status: 200 });
    bundle.clock.ms += 60_000;
    expect((await verify(bundle, await sent(bundle))).body).toEqual({
      ...PRODUCT,
      timestamp: NOW + 60_000,
      code: 200,
      sub_code: "SUCCESS",
      message: "Aadhaar eKYC Successful",
      data: {
        address: person.address,
        dateOfBirth: like(/^\d{2}-\d{2}-\d{4}$/),
        email: like(/^[0-9a-f]{64}$/),
        gender: like(/^[MF]$/),
        generatedAt: String(NOW + 60_000),
        maskedNumber: `xxxx-xxxx-${AADHAAR.slice(8)}`,
        name: person.name,
        phone: like(/^[0-9a-f]{64}$/),
        photo: like(/^iVBOR/),
      },
    });
    expect(await verify(bundle, given)).toMatchObject({ status: 400, body: { sub_code: "SESSION_EXPIRED" } });
  });

  it("says whether a mobile number is the linked one, and adds a PDF when asked", async () => {
    await using bundle = await setup({ configuration: { pendingWindowMs: 0 } });
    const linked = { mobile_number: identityOf(AADHAAR).mobile, generate_pdf: "true" };
    expect((await verify(bundle, { ...(await sent(bundle)), ...linked })).body).toMatchObject({
      data: { aadhaar_linked_mobile_match: "Yes", document_pdf: like(/^JVBER/) },
    });
    expect((await verify(bundle, { ...(await sent(bundle)), mobile_number: "9876543210" })).body).toMatchObject({
      data: { aadhaar_linked_mobile_match: "No" },
    });
  });

  it("refuses a wrong OTP, and the right one after three wrong tries", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    for (let n = 0; n < 3; n += 1) {
      expect(await verify(bundle, { ...given, otp: wrongFor(given.otp) })).toMatchObject({
        status: 400,
        body: { code: 400, sub_code: "INVALID_OTP", message: "OTP entered is invalid" },
      });
    }
    expect(await verify(bundle, given)).toMatchObject({ status: 400, body: { sub_code: "SESSION_EXPIRED" } });
  });

  it("refuses an OTP when its ten minutes are over", async () => {
    await using bundle = await setup();
    const given = await sent(bundle);
    bundle.clock.ms += 600_000;
    expect(await verify(bundle, given)).toMatchObject({ status: 400, body: { sub_code: "OTP_EXPIRED" } });
  });

  it("does not know a reference that it did not give", async () => {
    await using bundle = await setup();
    expect(await verify(bundle, { otp: "123456", reference_id: "00000000" })).toMatchObject({
      status: 400,
      body: { message: "Please enter a valid ref_id" },
    });
  });

  it("requires its query parameters and the consent", async () => {
    await using bundle = await setup();
    expect(await bundle.deepvue(VERIFY, {})).toMatchObject({ status: 422, body: { detail: { length: 4 } } });
    expect(await verify(bundle, { otp: "1", reference_id: "1", consent: "N" })).toMatchObject({ status: 422 });
  });

  it.each([
    ["302", [400, 400], "INVALID_OTP"],
    ["303", [400, 400], "OTP_EXPIRED"],
    ["850", [500, 200], "SOURCE_FAILURE"],
  ])("answers a person whose number ends with %s as the table says", async (ending, statuses, subCode) => {
    await using bundle = await setup();
    const aadhaar_number = madeUpAadhaar(1, ending);
    const reference_id = textAt(await generate(bundle, { aadhaar_number }), "reference_id");
    const { otp } = await bundle.simulator.waitForOtp(aadhaar_number);
    const answers: Answered[] = [];
    for (const _ of statuses) answers.push(await verify(bundle, { otp, reference_id }));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    expect(answers[0]?.body).toMatchObject({ sub_code: subCode });
  });
});
