import type { KeyObject } from "node:crypto";
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { ErrorCode, SatyapanError } from "../../base/error.ts";

/** Encrypts one Aadhaar number. No two results are equal: never compare or key anything by them (facts/eko §5). */
export type AadhaarEncryption = (aadhaar: string) => string;

/**
 * AePS encryption; the key is parsed here, once, which costs twice what an encryption does: RSA PKCS#1 v1.5 over the UTF-8 digits, in base64 (facts/eko §5).
 * `publicKey` is SPKI in base64 DER, as the provider publishes it, or in PEM. Throws SatyapanError(BAD_SETTINGS) where it is
 * neither or no RSA key.
 */
export function createAadhaarEncryption(publicKey: string): AadhaarEncryption {
  const key = parsePublicKey(publicKey);
  return (aadhaar) =>
    publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(aadhaar, "utf8")).toString("base64");
}

function parsePublicKey(publicKey: string): KeyObject {
  let key: KeyObject;
  try {
    key = publicKey.includes("-----BEGIN")
      ? createPublicKey(publicKey)
      : createPublicKey({ key: Buffer.from(publicKey, "base64"), format: "der", type: "spki" });
  } catch {
    throw unreadableKey(); // without its cause: whoever pasted a private key must not meet parts of it in a log
  }
  if (key.asymmetricKeyType !== "rsa") throw unreadableKey();
  return key;
}

function unreadableKey(): SatyapanError {
  return new SatyapanError(
    ErrorCode.BAD_SETTINGS,
    "EKO_AADHAAR_PUBLIC_KEY is not an RSA public key: set it to the base64 text from the provider, or to a PEM file's content",
  );
}
