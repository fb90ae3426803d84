import type { KeyObject } from "node:crypto";
import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { createAadhaarEncryption } from "../../../../src/providers/eko/encryption.ts";
import { refusal } from "../refusal.ts";

// facts/eko §5: as the provider publishes it, 1024 bits.
const PUBLISHED_KEY =
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCaFyrzeDhMaFLx+LZUNOOO14Pj9aPfr+1WOanDgDHxo9NekENYcWUftM9Y17ul2pXr3bqw0GCh4uxNoTQ5cTH4buI42LI8ibMaf7Kppq9MzdzI9/7pOffgdSn+P8J64CJAk3VrVswVgfy8lABt7fL8R6XReI9x8ewwKHhCRTwBgQIDAQAB";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
const BASE64_DER = publicKey.export({ type: "spki", format: "der" }).toString("base64");
const PEM = publicKey.export({ type: "spki", format: "pem" }).toString();

/** Opens PKCS#1 v1.5 by hand, 00 02 (at least 8 bytes that are not 0) 00 message: Node refuses that padding (facts/eko §5). */
function decrypt(key: KeyObject, base64: string): string {
  const block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(base64, "base64"));
  const end = block.indexOf(0, 2);
  expect([...block.subarray(0, 2)]).toEqual([0, 2]);
  expect(end).toBeGreaterThanOrEqual(10);
  return block.toString("utf8", end + 1);
}

describe("the encryption of an Aadhaar number", () => {
  it.each([
    { form: "base64 DER", key: BASE64_DER },
    { form: "base64 DER in lines", key: BASE64_DER.replaceAll(/.{64}/g, "$&\r\n") },
    { form: "PEM", key: PEM },
  ])("is read back by the holder of the private key, when the public one is $form", ({ key }) => {
    expect(decrypt(privateKey, createAadhaarEncryption(key)("999999990019"))).toBe("999999990019");
  });

  it("gives 172 characters of base64 for the published 1024-bit key", () => {
    expect(createAadhaarEncryption(PUBLISHED_KEY)("999999990019")).toMatch(/^[A-Za-z0-9+/]{171}=$/);
  });

  it.each([
    { what: "no text", key: "" },
    { what: "no base64", key: "not a key" },
    { what: "half a key", key: BASE64_DER.slice(0, 100) },
    { what: "a broken PEM", key: "-----BEGIN PUBLIC KEY-----\nMIGf\n-----END PUBLIC KEY-----" },
    {
      what: "an elliptic curve's key",
      key: generateKeyPairSync("ec", { namedCurve: "P-256" })
        .publicKey.export({ type: "spki", format: "pem" })
        .toString(),
    },
  ])("refuses $what by the name of the setting, without showing it", ({ key }) => {
    const { code, message, cause } = refusal(() => createAadhaarEncryption(key)("999999990019"));
    expect({ code, message, cause }).toEqual({
      code: ErrorCode.BAD_SETTINGS,
      message:
        "EKO_AADHAAR_PUBLIC_KEY is not an RSA public key: set it to the base64 text from the provider, or to a PEM file's content",
      cause: undefined,
    });
  });

  const encrypt = createAadhaarEncryption(BASE64_DER);

  it("gives another text every time", () => {
    expect(encrypt("999999990019")).not.toBe(encrypt("999999990019"));
  });

  it("keeps any 12 digits", () => {
    const digits = fc.stringMatching(/^[0-9]{12}$/);
    fc.assert(
      fc.property(digits, (aadhaar) => {
        expect(decrypt(privateKey, encrypt(aadhaar))).toBe(aadhaar);
      }),
    );
  });
});
