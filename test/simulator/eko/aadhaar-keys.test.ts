import { constants, generateKeyPairSync, type KeyObject, publicEncrypt } from "node:crypto";
import { expect, describe, it } from "vitest";
import { AadhaarKeys } from "../../../simulator/eko/aadhaar-keys.ts";
import { madeUpAadhaar } from "../../../simulator/people.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
const keys = new AadhaarKeys(privateKey);

function encrypted(text: string, key: KeyObject = publicKey, padding: number = constants.RSA_PKCS1_PADDING): string {
  return publicEncrypt({ key, padding }, Buffer.from(text)).toString("base64");
}

describe("AadhaarKeys", () => {
  it("reads back what was encrypted with PKCS#1 v1.5, every time another ciphertext", () => {
    for (let index = 0; index < 50; index += 1) {
      const number = madeUpAadhaar(index);
      expect(encrypted(number)).not.toBe(encrypted(number));
      expect(keys.decrypt(encrypted(number))).toBe(number);
    }
  });

  it("publishes a 1024-bit key as SPKI in one line of base64", async () => {
    const generated = await AadhaarKeys.generate();
    expect(generated.publicKey).toMatch(/^MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ[A-Za-z0-9+/]+={0,2}$/);
    expect(generated.publicKey).toHaveLength(216);
  });

  it("can be given a private key as PEM", () => {
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    expect(AadhaarKeys.fromPem(pem).publicKey).toBe(keys.publicKey);
  });

  const other = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
  it.each([
    ["the clear number", "999941057058"],
    ["the number in base64", Buffer.from("999941057058").toString("base64")],
    ["a number for another key", encrypted("999941057058", other)],
    ["OAEP padding", encrypted("999941057058", publicKey, constants.RSA_PKCS1_OAEP_PADDING)],
    ["eleven digits", encrypted("99994105705")],
    ["a longer text", encrypted("999941057058 ")],
    ["no base64", "???"],
    ["nothing", ""],
  ])("reads nothing out of %s", (_, text) => {
    expect(keys.decrypt(text)).toBeNull();
  });
});
