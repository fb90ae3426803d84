import { createPublicKey, type KeyObject } from "node:crypto";
import { Complaint, textSchema, type TextSchema } from "../../base/text.ts";

/** Shortest RSA modulus that is taken, in bits: that of the key Eko publishes (facts/eko §5). */
const LEAST_MODULUS = 1024;

/** RSA public key, SPKI in base64 or PEM → base64 SPKI in one line. */
export const rsaPublicKeySchema: TextSchema<string> = textSchema("RSA public key, base64 SPKI or PEM", (text) => {
  if (text.includes("PRIVATE KEY"))
    return new Complaint("must be a public key, and is a private one: take it out of here");
  const key = readPublicKey(text);
  if (key === undefined) return new Complaint("must be a public key: base64 SPKI (it begins with MI) or PEM");
  if (key.asymmetricKeyType !== "rsa")
    return new Complaint(`must be an RSA key, not ${key.asymmetricKeyType ?? "unknown"}`);
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_MODULUS) {
    return new Complaint(`must be an RSA key of at least ${LEAST_MODULUS} bits`);
  }
  return key.export({ type: "spki", format: "der" }).toString("base64");
});

function readPublicKey(text: string): KeyObject | undefined {
  try {
    // Environment files often carry the line ends of a PEM as the two characters \n.
    if (text.includes("-----BEGIN")) return createPublicKey(text.replaceAll("\\n", "\n"));
    const der = Buffer.from(text, "base64");
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
