import { describe, expect, it } from "vitest";
import type { DeepvueSettings } from "../../../../src/providers/deepvue/settings.ts";
import { Secret } from "../../../../src/secrets/secret.ts";
import { deepvueCall } from "../../../../src/providers/deepvue/call.ts";
import type { ProviderRequest } from "../../../../src/providers/http.ts";

const SETTINGS: DeepvueSettings = {
  baseUrl: new URL("https://deepvue.example"),
  clientId: new Secret("made-up-client-id"),
  clientSecret: new Secret("made-up-client-secret"),
};
const SEND: ProviderRequest = {
  method: "POST",
  path: "/v2/ekyc/aadhaar/generate-otp",
  query: { aadhaar_number: "999999990019", consent: "Y", purpose: "KYC & loan: 100% é+" },
  body: null,
};

describe("deepvueCall", () => {
  it("puts every field into the query and the key pair into the headers, the client secret as x-api-key", () => {
    expect(deepvueCall(SEND, SETTINGS)).toEqual({
      method: "POST",
      origin: "https://deepvue.example",
      path: "/v2/ekyc/aadhaar/generate-otp?aadhaar_number=999999990019&consent=Y&purpose=KYC+%26+loan%3A+100%25+%C3%A9%2B",
      headers: {
        "x-api-key": "made-up-client-secret",
        "client-id": "made-up-client-id",
        "content-type": "application/json",
      },
      body: null,
    });
  });

  it("gives back what was put in when the query is decoded", () => {
    const { origin, path } = deepvueCall(SEND, SETTINGS);
    expect(Object.fromEntries(new URL(origin + path).searchParams)).toEqual(SEND.query);
  });

  it("puts the base URL's path before the request's", () => {
    const call = deepvueCall(
      { ...SEND, query: {} },
      { ...SETTINGS, baseUrl: new URL("http://127.0.0.1:4010/deepvue/") },
    );
    expect(call).toMatchObject({ origin: "http://127.0.0.1:4010", path: "/deepvue/v2/ekyc/aadhaar/generate-otp" });
  });

  it("refuses a body, which would be lost", () => {
    expect(() => deepvueCall({ ...SEND, body: { otp: "123456" } }, SETTINGS)).toThrow(TypeError);
  });
});
