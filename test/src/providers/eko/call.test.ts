import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { EkoSettings } from "../../../../src/providers/eko/settings.ts";
import { Secret } from "../../../../src/secrets/secret.ts";
import { ekoCall } from "../../../../src/providers/eko/call.ts";
import { createEkoSigner } from "../../../../src/providers/eko/signature.ts";
import type { ProviderRequest } from "../../../../src/providers/http.ts";

const ACCESS_KEY = "TEST_ACCESS_KEY_DO_NOT_USE";
const NOW = 1_700_000_000_000;
const SETTINGS: EkoSettings = {
  baseUrl: new URL("https://eko.example/ekoapi/v3"),
  developerKey: new Secret("made-up-developer-key"),
  accessKey: new Secret(ACCESS_KEY),
  initiatorId: "9962981729",
  userCode: "20810200",
  aadhaarPublicKey: null,
  aepsAadhaarField: "aadhaar",
};
const SEND: ProviderRequest = {
  method: "POST",
  path: "/customer/payment/dmt-levin/sender/6111111111/aadhaar/otp",
  query: {},
  body: { aadhar: "999999990019", intent_id: 20, note: "é ₹" },
};

const call = (request: Partial<ProviderRequest>, settings: Partial<EkoSettings> = {}, now = NOW) =>
  ekoCall({ ...SEND, ...request }, { ...SETTINGS, ...settings }, createEkoSigner(SETTINGS.accessKey), now);

describe("ekoCall", () => {
  it("puts the base path before the request's and the fields into a JSON body, under exactly four headers", () => {
    expect(call({})).toEqual({
      method: "POST",
      origin: "https://eko.example",
      path: "/ekoapi/v3/customer/payment/dmt-levin/sender/6111111111/aadhaar/otp",
      headers: {
        developer_key: "made-up-developer-key",
        "secret-key": "u30ak/iOGwKCaspqCeiYng8fd98QDx7kF3DBBOadQHk=",
        "secret-key-timestamp": "1700000000000",
        "content-type": "application/json",
      },
      body: '{"aadhar":"999999990019","intent_id":20,"note":"é ₹"}',
    });
  });

  it("sends the very timestamp that it signed, another one for another attempt", () => {
    for (const now of [NOW, NOW + 1, Date.now()]) {
      const { headers } = call({}, {}, now);
      const sent = headers["secret-key-timestamp"] ?? "";
      const key = Buffer.from(ACCESS_KEY).toString("base64");
      expect(sent).toBe(String(now));
      expect(headers["secret-key"]).toBe(createHmac("sha256", key).update(sent).digest("base64"));
    }
  });

  it("puts a read's fields into the query, form-encoded, and sends no body", () => {
    const query = { initiator_id: "9962981729", name: "a b&c=d+é" };
    expect(call({ method: "GET", path: "/sender/1", query, body: null })).toMatchObject({
      method: "GET",
      path: "/ekoapi/v3/sender/1?initiator_id=9962981729&name=a+b%26c%3Dd%2B%C3%A9",
      body: null,
    });
  });

  it.each([
    ["https://eko.example", "/x"],
    ["https://eko.example/", "/x"],
    ["https://eko.example:25002/ekoicici/v3/", "/ekoicici/v3/x"],
  ])("joins the base URL %s without doubling a slash", (baseUrl, path) => {
    expect(call({ path: "/x" }, { baseUrl: new URL(baseUrl) }).path).toBe(path);
  });

  it("keeps the port in the origin", () => {
    expect(call({}, { baseUrl: new URL("https://eko.example:25002/v3") }).origin).toBe("https://eko.example:25002");
  });

  it("refuses a body field that is still a secret, which would go out as its mask", () => {
    const body = { aadhar: new Secret("999999990019", "aadhaar") };
    expect(() => call({ body })).toThrow(new TypeError('the body field "aadhar" is a Secret that was not opened'));
  });
});
