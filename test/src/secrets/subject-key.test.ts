import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/secrets/secret.ts";
import { inputDigest, subjectKey } from "../../../src/secrets/subject-key.ts";

const BYTES = Buffer.alloc(32, 9);
const KEY = new Secret(BYTES.toString("base64"));
const OTHER_KEY = new Secret(Buffer.alloc(32, 8).toString("base64"));

describe("subjectKey", () => {
  it("is the HMAC-SHA-256 of use, kind and value under the decoded key, cut to 128 bits", () => {
    const message = '["satyapan/subject/1","aadhaar","999999990019"]';
    const whole = createHmac("sha256", BYTES).update(message).digest();
    expect(subjectKey(KEY, "aadhaar", "999999990019")).toBe(whole.subarray(0, 16).toString("base64url"));
  });

  it("is 22 characters of base64url", () => {
    expect(subjectKey(KEY, "mobile", "9876543210")).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  it("is the same for the same person and key alone", () => {
    const keys = [
      subjectKey(KEY, "aadhaar", "999999990019"),
      subjectKey(KEY, "aadhaar", "234123412346"),
      subjectKey(KEY, "mobile", "999999990019"),
      subjectKey(OTHER_KEY, "aadhaar", "999999990019"),
      inputDigest(KEY, "aadhaar", { value: "999999990019" }),
    ];
    expect(new Set(keys)).toHaveProperty("size", keys.length);
    expect(subjectKey(KEY, "aadhaar", "999999990019")).toBe(keys[0]);
  });
});

describe("inputDigest", () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue());

  it("is the same whatever the order of the fields, at every depth", () => {
    expect(inputDigest(KEY, "op", { a: 1, b: { c: [1, 2], d: null } })).toBe(
      inputDigest(KEY, "op", { b: { d: null, c: [1, 2] }, a: 1 }),
    );
  });

  it("is the same for any input with its fields the other way round", () => {
    fc.assert(
      fc.property(json, (input) => {
        const reversed = Object.fromEntries(Object.entries(input).toReversed());
        expect(inputDigest(KEY, "op", reversed)).toBe(inputDigest(KEY, "op", input));
      }),
    );
  });

  it("is the same after a journey through JSON", () => {
    fc.assert(
      fc.property(json, (input) => {
        const travelled: unknown = JSON.parse(JSON.stringify(input));
        expect(inputDigest(KEY, "op", { travelled })).toBe(inputDigest(KEY, "op", { travelled: input }));
      }),
    );
  });

  it("is the same for two inputs only if they are the same", () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        fc.pre(canonical(one) !== canonical(other));
        expect(inputDigest(KEY, "op", one)).not.toBe(inputDigest(KEY, "op", other));
      }),
    );
  });

  it("sees the value of a secret, not its mask", () => {
    const digest = (otp: string): string => inputDigest(KEY, "op", { otp: new Secret(otp) });
    expect(digest("123456")).not.toBe(digest("654321"));
    expect(digest("123456")).toBe(inputDigest(KEY, "op", { otp: "123456" }));
  });

  it.each([
    ["a number and its text", { a: 1 }, { a: "1" }],
    ["null and nothing", { a: null }, {}],
    ["the order of a list", { a: [1, 2] }, { a: [2, 1] }],
    ["nested and flat", { a: { b: 1 } }, { a: 1, b: 1 }],
    ["an empty list and an empty object", { a: [] }, { a: {} }],
    ["true and its text", { a: true }, { a: "true" }],
  ])("tells %s apart", (_, one, other) => {
    expect(inputDigest(KEY, "op", one)).not.toBe(inputDigest(KEY, "op", other));
  });

  it("takes an undefined field for none, as JSON does", () => {
    expect(inputDigest(KEY, "op", { a: 1, b: undefined })).toBe(inputDigest(KEY, "op", { a: 1 }));
  });

  it("tells operations and keys apart", () => {
    expect(inputDigest(KEY, "op", { a: 1 })).not.toBe(inputDigest(KEY, "op.verify", { a: 1 }));
    expect(inputDigest(KEY, "op", { a: 1 })).not.toBe(inputDigest(OTHER_KEY, "op", { a: 1 }));
  });

  it.each([new Date(0), new Map(), () => 1, 1n, Number.NaN, Number.POSITIVE_INFINITY, Symbol("s")])(
    "refuses %s, which is no JSON",
    (value) => {
      expect(() => inputDigest(KEY, "op", { value })).toThrow(TypeError);
    },
  );
});

/** Another way to the same end: JSON sorted by its own replacer. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
