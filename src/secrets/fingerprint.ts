import { createHmac } from "node:crypto";
import type { Secret } from "./secret.ts";

/** 96 bits tell two settings apart. */
const DIGEST_BYTES = 12;

/** Tells whether two processes that share a key run with the same value, and nothing else: an HMAC, 16 characters. */
export function fingerprint(key: Secret, name: string, value: Secret | string): string {
  const text = typeof value === "string" ? value : value.open();
  const hmac = createHmac("sha256", Buffer.from(key.open(), "base64"));
  return hmac
    .update(JSON.stringify(["satyapan/fingerprint/1", name, text]))
    .digest()
    .subarray(0, DIGEST_BYTES)
    .toString("base64url");
}
