import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";
import { promisify } from "node:util";

/** The simulated bank's key pair, with which AePS numbers are read. */
export class AadhaarKeys {
  /** Base64 SPKI (DER), one line: the value of `EKO_AADHAAR_PUBLIC_KEY`. */
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.publicKey = createPublicKey(privateKey).export({ format: "der", type: "spki" }).toString("base64");
  }

  /** 1024 bits, as the provider's published keys have (facts/eko §5). */
  static async generate(): Promise<AadhaarKeys> {
    const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 1024 });
    return new AadhaarKeys(privateKey);
  }

  /** @param pem PKCS#1 or PKCS#8 private key. */
  static fromPem(pem: string): AadhaarKeys {
    return new AadhaarKeys(createPrivateKey(pem));
  }

  /**
   * The 12 digits inside `encrypted` (base64 of RSA PKCS#1 v1.5), or null where there are none. Node refuses to decrypt
   * with that padding (facts/eko §5), so the block 00 02 … 00 is taken apart here.
   */
  decrypt(encrypted: string): string | null {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encrypted)) return null;
    let block: Buffer;
    try {
      const key = { key: this.#privateKey, padding: constants.RSA_NO_PADDING };
      block = privateDecrypt(key, Buffer.from(encrypted, "base64"));
    } catch {
      return null; // not as long as the modulus, or not below it: encrypted with another key or not at all
    }
    if (block[0] !== 0 || block[1] !== 2) return null;
    const digits = block.toString("utf8", block.indexOf(0, 2) + 1);
    return /^\d{12}$/.test(digits) ? digits : null;
  }
}
