import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../../src/secrets/secret.ts";
import { createEkoSigner } from "../../../../src/providers/eko/signature.ts";

// facts/eko §1.2: the published vectors.
const V1 = { accessKey: "TEST_ACCESS_KEY_DO_NOT_USE", at: 1_700_000_000_000 };
const V1_SECRET_KEY = "u30ak/iOGwKCaspqCeiYng8fd98QDx7kF3DBBOadQHk=";
const V2 = { accessKey: "test-access-key-123", at: 1_700_000_000_000 };
const V2_SECRET_KEY = "88lqTf9ew69XbVbeczjxVL8/B4vibfp1MvTi1mIj2Xo=";

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const hmac = (key: string, message: string): string => createHmac("sha256", key).update(message).digest("base64");

describe("a signature", () => {
  it.each([
    { ...V1, secretKey: V1_SECRET_KEY },
    { ...V2, secretKey: V2_SECRET_KEY },
  ])("gives the published signature of $accessKey", ({ accessKey, at, secretKey }) => {
    expect(createEkoSigner(new Secret(accessKey))(at)).toEqual({ secretKey, timestamp: "1700000000000" });
  });

  // facts/eko §1.2: what each known mistake makes of V1. Made here, it gives the published wrong value, and ours is not it.
  it.each([
    {
      mistake: "the raw access key as HMAC key",
      wrong: hmac(V1.accessKey, String(V1.at)),
      published: "GxF3Pm81zvVbFPbQzDWcPXU+v9tKaMHsjtTxjdwDR9w=",
    },
    {
      mistake: "key and message swapped",
      wrong: hmac(String(V1.at), base64(V1.accessKey)),
      published: "fKi/n2+tSC8b8v6Vo4djuym4p9NznJuBCTMwYLD1VIo=",
    },
    {
      mistake: "a newline after the base64 key",
      wrong: hmac(`${base64(V1.accessKey)}\n`, String(V1.at)),
      published: "oHTBvC5YQxVKOYNCYVtb2STzTIc7RKqHLRBCYFiNUSo=",
    },
    {
      mistake: "seconds instead of milliseconds",
      wrong: hmac(base64(V1.accessKey), String(V1.at / 1000)),
      published: "r7oU5Fxiv4cMkRGH2Lf0EAcGOwBuMSiMGLJVZ0SDuVk=",
    },
    {
      mistake: "hex instead of base64",
      wrong: createHmac("sha256", base64(V1.accessKey)).update(String(V1.at)).digest("hex"),
      published: "bb7d1a93f88e1b02826aca6a09e8989e0f1f77df100f1ee41770c104e69d4079",
    },
  ])("does not make the mistake: $mistake", ({ wrong, published }) => {
    expect(wrong).toBe(published);
    expect(createEkoSigner(new Secret(V1.accessKey))(V1.at).secretKey).not.toBe(published);
  });

  it("signs any access key and any time as the algorithm says, in 44 characters of padded base64", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: "binary" }).filter((accessKey) => accessKey.isWellFormed()),
        fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 }),
        (accessKey, at) => {
          const signature = createEkoSigner(new Secret(accessKey))(at);
          expect(signature).toEqual({ secretKey: hmac(base64(accessKey), String(at)), timestamp: String(at) });
          expect(signature.secretKey).toMatch(/^[A-Za-z0-9+/]{43}=$/);
        },
      ),
    );
  });

  it.each([1_700_000_000, 1_700_000_000_000.5, 17_000_000_000_000, -1_700_000_000_000, Number.NaN, 0])(
    "refuses to sign %d, which is not a time in whole milliseconds",
    (at) => {
      expect(() => createEkoSigner(new Secret(V1.accessKey))(at)).toThrow(RangeError);
    },
  );
});

describe("createEkoSigner", () => {
  it("signs every attempt afresh with the key it was given once", () => {
    const sign = createEkoSigner(new Secret(V1.accessKey));
    const first = sign(V1.at);
    expect(first.secretKey).toBe(V1_SECRET_KEY);
    expect(sign(V1.at + 1).secretKey).not.toBe(first.secretKey);
    expect(sign(V1.at)).toEqual(first);
  });
});
