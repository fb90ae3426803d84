import { constants, privateDecrypt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SatyapanError } from "../../../src/base/error.ts";
import type { OperationName } from "../../../src/operations/catalogue.ts";
import type { ProviderRequest } from "../../../src/providers/http.ts";
import { AADHAAR_PRIVATE_KEY, CLIENT_REF_ID, EKO, prepare } from "./bundle.ts";

const AGENT = { initiator_id: "9962981729", user_code: "20810200" };
const SENDER = "/customer/payment/dmt-levin/sender/9876543210";

/** Exactly what goes out for each operation's example. */
const REQUESTS: [OperationName, ProviderRequest][] = [
  [
    "eko.dmt-levin.aadhaar-otp",
    {
      method: "POST",
      path: `${SENDER}/aadhaar/otp`,
      query: {},
      body: {
        ...AGENT,
        client_ref_id: CLIENT_REF_ID,
        aadhar: "999999990019",
        otp_ref_id: "73849201",
        additional_info: "1",
      },
    },
  ],
  [
    "eko.dmt-levin.aadhaar-otp.verify",
    {
      method: "POST",
      path: `${SENDER}/aadhaar/otp/verify`,
      query: {},
      body: {
        ...AGENT,
        client_ref_id: CLIENT_REF_ID,
        otp: 123_456,
        otp_ref_id: 93_847_201,
        intent_id: "20",
        additional_info: "1",
      },
    },
  ],
  [
    "eko.mobile-otp",
    {
      method: "POST",
      path: "/tools/kyc/mobile/otp",
      query: {},
      body: { initiator_id: "9962981729", client_ref_id: CLIENT_REF_ID, csp_id: "9002336768", mobile: "9002336768" },
    },
  ],
  [
    "eko.mobile-otp.verify",
    {
      method: "PUT",
      path: "/tools/kyc/mobile/otp/verify",
      query: {},
      body: { initiator_id: "9962981729", client_ref_id: "211101129871", otp: "3643", mobile: "9002336768" },
    },
  ],
  ["eko.dmt-levin.sender", { method: "GET", path: SENDER, query: AGENT, body: null }],
  [
    "eko.dmt-levin.sender.create",
    {
      method: "POST",
      path: SENDER,
      query: {},
      body: {
        ...AGENT,
        client_ref_id: CLIENT_REF_ID,
        name: "Asha Example",
        dob: "1990-01-31",
        residence_address: '{"line":"1 Example Road","city":"Bengaluru","state":"Karnataka","pincode":"560001"}',
      },
    },
  ],
  [
    "deepvue.aadhaar-otp",
    {
      method: "POST",
      path: "/v2/ekyc/aadhaar/generate-otp",
      query: { aadhaar_number: "999999990019", consent: "Y", purpose: "ForKYC" },
      body: null,
    },
  ],
  [
    "deepvue.aadhaar-otp.verify",
    {
      method: "POST",
      path: "/v2/ekyc/aadhaar/verify-otp",
      query: { otp: "123456", reference_id: "29756208", consent: "Y", purpose: "ForKYC" },
      body: null,
    },
  ],
];

describe("the requests", () => {
  it.each(REQUESTS)("of %s are exactly as documented", (name, request) => {
    expect(prepare(name)).toEqual(request);
  });

  const decrypted = (base64: unknown): string => {
    const block = privateDecrypt(
      { key: AADHAAR_PRIVATE_KEY, padding: constants.RSA_NO_PADDING },
      Buffer.from(String(base64), "base64"),
    );
    expect([block[0], block[1]]).toEqual([0, 2]);
    return block.subarray(block.indexOf(0, 2) + 1).toString();
  };

  it("of an AePS send carry the Aadhaar number encrypted, in the field that the settings name", () => {
    const { body, ...request } = prepare("eko.aeps-fingpay.ekyc-otp");
    expect(request).toEqual({ method: "POST", path: "/user/collection/aeps-fingpay/kyc/otp", query: {} });
    const { aadhaar, ...rest } = body ?? {};
    expect(rest).toEqual({
      ...AGENT,
      client_ref_id: CLIENT_REF_ID,
      customer_id: "9123456789",
      latlong: "28.6139,77.2090",
    });
    expect(decrypted(aadhaar)).toBe("999999990019");
    const other = prepare("eko.aeps-fingpay.ekyc-otp", {}, { aepsAadhaarField: "aadhar" });
    expect(decrypted(other.body?.["aadhar"])).toBe("999999990019");
    expect(other.body).not.toHaveProperty("aadhaar");
  });

  it("of an AePS verify carry its references and no client_ref_id", () => {
    const { body, ...request } = prepare("eko.aeps-fingpay.ekyc-otp.verify");
    expect(request).toEqual({ method: "PUT", path: "/user/collection/aeps-fingpay/kyc/otp/verify", query: {} });
    const { aadhaar, ...rest } = body ?? {};
    expect(rest).toEqual({
      ...AGENT,
      customer_id: "9123456789",
      otp: "123456",
      otp_ref_id: "2465238",
      reference_tid: "EKYKF4719702240123152147525I",
      latlong: "28.6139,77.2090",
    });
    expect(decrypted(aadhaar)).toBe("999999990019");
  });

  it("of AePS carry an encrypted value as it is, and need no public key for it", () => {
    const changes = { aadhaar: undefined, aadhaar_encrypted: "A".repeat(172) };
    const { body } = prepare("eko.aeps-fingpay.ekyc-otp", changes, { aadhaarPublicKey: null });
    expect(body?.["aadhaar"]).toBe("A".repeat(172));
  });

  it("of AePS cannot be built from a plain number without a public key, and say which setting is missing", () => {
    expect(() => prepare("eko.aeps-fingpay.ekyc-otp", {}, { aadhaarPublicKey: null })).toThrow(
      new SatyapanError(
        "bad-settings",
        "EKO_AADHAAR_PUBLIC_KEY is not set: AePS needs it to encrypt `aadhaar`; set it, or submit `aadhaar_encrypted`",
      ),
    );
  });

  it("use the input's own initiator and agent where it has them", () => {
    const own = { initiator_id: "7411111111", user_code: "20310006" };
    expect(prepare("eko.dmt-levin.aadhaar-otp", own).body).toMatchObject(own);
    expect(prepare("eko.dmt-levin.sender", own).query).toEqual(own);
    expect(prepare("eko.mobile-otp", { initiator_id: "7411111111" }).body).toMatchObject({
      initiator_id: "7411111111",
    });
    expect(EKO.initiatorId).not.toBe(own.initiator_id);
  });

  it.each([
    ["012345", "012345"],
    ["123456", 123_456],
  ])("send the integer fields of a Levin verify without loss: otp %s as %j", (otp, sent) => {
    expect(prepare("eko.dmt-levin.aadhaar-otp.verify", { otp }).body?.["otp"]).toBe(sent);
  });

  it("send a reference that is no number as text", () => {
    const otp_ref_id = "MjQzMjYxLzI2OQ==";
    expect(prepare("eko.dmt-levin.aadhaar-otp.verify", { otp_ref_id }).body?.["otp_ref_id"]).toBe(otp_ref_id);
  });

  it.each([
    ["1 Example Road", "1 Example Road"],
    [
      ["1 Example Road", "Bengaluru"],
      ["1 Example Road", "Bengaluru"],
    ],
    ['["1 Example Road","Bengaluru"]', ["1 Example Road", "Bengaluru"]],
    ["[unfinished", "[unfinished"],
  ])("send the address %j as %j", (residence_address, sent) => {
    expect(prepare("eko.dmt-levin.sender.create", { residence_address }).body?.["residence_address"]).toEqual(sent);
  });

  it("ask Deepvue for what is optional only where it was asked for", () => {
    const { query } = prepare("deepvue.aadhaar-otp.verify", { mobile_number: "9876543210", generate_pdf: "true" });
    expect(query).toMatchObject({ mobile_number: "9876543210", generate_pdf: "true" });
    expect(prepare("deepvue.aadhaar-otp.verify", { generate_pdf: false }).query).not.toHaveProperty("generate_pdf");
  });
});
