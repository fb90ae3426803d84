import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/error.ts";
import { parseKeyRing, type KeyRing } from "../../../src/privacy/key-ring.ts";
import { openFields, seal, sealFields, unseal, type SealedFor } from "../../../src/privacy/seal.ts";
import { Secret } from "../../../src/privacy/secret.ts";
import { refusal } from "../providers/refusal.ts";

const AADHAAR = "999999990019";
const FOR: SealedFor = { operation: "eko.mobile-otp.verify", jobId: "j-1", field: "otp" };
const JOB = { operation: FOR.operation, jobId: FOR.jobId };

const text = fc.string({ unit: "binary", maxLength: 60 });
const sealedFor = fc.record({ operation: text, jobId: text, field: text });

function newKey(id: string): string {
  return `${id}:${randomBytes(32).toString("base64")}`;
}

function newRing(): KeyRing {
  return parseKeyRing(newKey("k1"));
}

function bytesOf(sealed: string): Buffer {
  return Buffer.from(sealed.slice("s1.k1.".length), "base64url");
}

describe("seal and unseal", () => {
  it("give back any text for the same operation, job and field", () => {
    const ring = newRing();
    fc.assert(
      fc.property(text, sealedFor, (clear, associated) => {
        expect(unseal(ring, seal(ring, clear, associated), associated)).toBe(clear);
      }),
    );
  });

  it("give back a long text, and one that came as bytes", () => {
    const ring = newRing();
    const address = "मकान १२, गली ३ — 🏠 ".repeat(5_000);
    expect(unseal(ring, seal(ring, address, FOR), FOR)).toBe(address);
    expect(unseal(ring, seal(ring, Buffer.from(address), FOR), FOR)).toBe(address);
  });

  it("refuse to seal bytes that are not text, which could not be given back", () => {
    expect(() => seal(newRing(), Uint8Array.of(0xc3, 0x28), FOR)).toThrow(TypeError);
  });

  it("write the version, the key's id, and then nonce, ciphertext and tag in base64url", () => {
    const sealed = seal(newRing(), AADHAAR, FOR);
    expect(sealed).toMatch(/^s1\.k1\.[A-Za-z0-9_-]+$/);
    expect(bytesOf(sealed)).toHaveLength(12 + AADHAAR.length + 16);
  });

  it("write another text each time, so that equal values cannot be told", () => {
    const ring = newRing();
    const sealed = Array.from({ length: 1_000 }, () => seal(ring, AADHAAR, FOR));
    expect(new Set(sealed)).toHaveProperty("size", 1_000);
    expect(new Set(sealed.map((one) => bytesOf(one).toString("hex", 0, 12)))).toHaveProperty("size", 1_000);
  });

  it("do not show the value", () => {
    const sealed = seal(newRing(), AADHAAR, FOR);
    expect(sealed).not.toContain(AADHAAR);
    expect(bytesOf(sealed).includes(AADHAAR)).toBe(false);
  });
});

describe("unseal", () => {
  it("opens nothing in which a single bit was changed", () => {
    const ring = newRing();
    fc.assert(
      fc.property(text, fc.nat(), fc.integer({ min: 0, max: 7 }), (clear, position, bit) => {
        const bytes = bytesOf(seal(ring, clear, FOR));
        const index = position % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const altered = `s1.k1.${bytes.toString("base64url")}`;
        expect(refusal(() => unseal(ring, altered, FOR)).code).toBe(ErrorCode.UNREADABLE);
      }),
    );
  });

  it("opens no text but the very one that was written", () => {
    const ring = newRing();
    const character = fc.constantFrom("A", "B", "x", "y", "0", "9", "-", "_", "+", "/", "=", ".", " ", "\n", "\u00e9");
    fc.assert(
      fc.property(text, fc.nat(), character, (clear, position, other) => {
        const sealed = seal(ring, clear, FOR);
        const index = position % sealed.length;
        fc.pre(sealed[index] !== other);
        for (const altered of [
          sealed.slice(0, index) + other + sealed.slice(index + 1),
          sealed.slice(0, index) + other + sealed.slice(index),
          sealed + other,
          sealed.slice(0, index),
        ]) {
          expect([ErrorCode.UNREADABLE, ErrorCode.UNKNOWN_KEY]).toContain(
            refusal(() => unseal(ring, altered, FOR)).code,
          );
        }
      }),
    );
  });

  it("opens nothing that was sealed for another operation, job or field", () => {
    const ring = newRing();
    fc.assert(
      fc.property(sealedFor, sealedFor, (one, other) => {
        fc.pre(one.operation !== other.operation || one.jobId !== other.jobId || one.field !== other.field);
        expect(refusal(() => unseal(ring, seal(ring, AADHAAR, one), other)).code).toBe(ErrorCode.UNREADABLE);
      }),
    );
  });

  it("is not deceived by names that read the same one after the other", () => {
    const ring = newRing();
    const sealed = seal(ring, AADHAAR, { operation: 'a","b', jobId: "c", field: "d" });
    for (const [operation, jobId, field] of [
      ["a", "b", 'c","d'],
      ['a","b","c', "d", ""],
      ["a", 'b","c', "d"],
    ] as const) {
      expect(refusal(() => unseal(ring, sealed, { operation, jobId, field })).code).toBe(ErrorCode.UNREADABLE);
    }
  });

  it("says the same of an altered, a truncated and a misplaced text", () => {
    const ring = newRing();
    const sealed = seal(ring, AADHAAR, FOR);
    const elsewhere = seal(ring, AADHAAR, { ...FOR, field: "aadhaar" });
    const otherKey = seal(newRing(), AADHAAR, FOR);
    const texts = [
      elsewhere,
      otherKey,
      sealed.slice(0, -1),
      sealed.slice(0, 20),
      `${sealed}A`,
      "",
      "s1",
      "s1.k1.",
      "s2",
    ];
    const refusals = [...texts, sealed.replace("s1", "s2")].map((one) => refusal(() => unseal(ring, one, FOR)));
    expect(new Set(refusals.map(({ code, message, cause }) => JSON.stringify({ code, message, cause })))).toEqual(
      new Set([
        JSON.stringify({
          code: ErrorCode.UNREADABLE,
          message:
            "the sealed otp of job j-1 (eko.mobile-otp.verify) does not open: it was altered, cut off, or sealed for something else",
        }),
      ]),
    );
  });
});

describe("keys that change", () => {
  it("opens what the old key sealed and seals with the new one", () => {
    const [oldKey, newerKey] = [newKey("old"), newKey("new")];
    const before = parseKeyRing(oldKey);
    const after = parseKeyRing(`${newerKey},${oldKey}`);
    fc.assert(
      fc.property(text, sealedFor, (clear, associated) => {
        const sealedNow = seal(after, clear, associated);
        expect(sealedNow).toMatch(/^s1\.new\./);
        expect(unseal(after, seal(before, clear, associated), associated)).toBe(clear);
        expect(unseal(after, sealedNow, associated)).toBe(clear);
      }),
    );
  });

  it("names the key that is missing", () => {
    const error = refusal(() => unseal(newRing(), seal(parseKeyRing(newKey("old")), AADHAAR, FOR), FOR));
    expect(error.code).toBe(ErrorCode.UNKNOWN_KEY);
    expect(error.message).toContain('the key "old"');
  });

  it("does not open with another key of the same ring, even if the text names it", () => {
    const ring = parseKeyRing(`${newKey("k1")},${newKey("k2")}`);
    const renamed = seal(ring, AADHAAR, FOR).replace("s1.k1.", "s1.k2.");
    expect(refusal(() => unseal(ring, renamed, FOR)).code).toBe(ErrorCode.UNREADABLE);
  });
});

describe("sealFields and openFields", () => {
  const input = {
    aadhaar: new Secret(AADHAAR, "aadhaar"),
    residence_address: new Secret('{"line":"12, MG Road"}'),
    intent_id: 20,
    consent: { reference: "c-1", method: "web" },
    of: "j-0",
  };

  it("seal what is secret, leave the rest, and give all of it back as plain JSON values", () => {
    const ring = newRing();
    const stored = sealFields(ring, input, JOB);
    expect(stored.plain).toEqual({ intent_id: 20, consent: { reference: "c-1", method: "web" }, of: "j-0" });
    expect(Object.keys(stored.sealed)).toEqual(["aadhaar", "residence_address"]);
    expect(JSON.stringify(stored)).not.toMatch(/999999990019|MG Road/);
    const read: unknown = JSON.parse(JSON.stringify(stored));
    expect(read).toEqual(stored);
    expect(openFields(ring, stored, JOB)).toEqual({
      aadhaar: AADHAAR,
      residence_address: '{"line":"12, MG Road"}',
      intent_id: 20,
      consent: { reference: "c-1", method: "web" },
      of: "j-0",
    });
  });

  it("give back any fields, whatever their names", () => {
    const ring = newRing();
    const value = fc.oneof(
      text.map((clear) => ({ given: new Secret(clear) as unknown, clear: clear as unknown })),
      fc.jsonValue().map((json) => ({ given: json, clear: json })),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, value), { selector: ([name]) => name }), (fields) => {
        const given = Object.fromEntries(fields.map(([name, { given: field }]) => [name, field]));
        const clear = Object.fromEntries(fields.map(([name, { clear: field }]) => [name, field]));
        expect(openFields(ring, sealFields(ring, given, JOB), JOB)).toEqual(clear);
      }),
    );
  });

  it("do not open the fields of another job", () => {
    const ring = newRing();
    const stored = sealFields(ring, input, JOB);
    expect(refusal(() => openFields(ring, stored, { ...JOB, jobId: "j-2" })).code).toBe(ErrorCode.UNREADABLE);
  });

  it("do not open two fields that changed places", () => {
    const ring = newRing();
    const { sealed } = sealFields(ring, { a: new Secret("1"), b: new Secret("2") }, JOB);
    const swapped = { plain: {}, sealed: { a: sealed["b"] ?? "", b: sealed["a"] ?? "" } };
    expect(refusal(() => openFields(ring, swapped, JOB)).code).toBe(ErrorCode.UNREADABLE);
  });

  it.each([[[new Secret("1")]], [{ deep: { er: new Secret("1") } }]])(
    "refuse a secret inside a plain field, which would be stored as its mask",
    (consent) => {
      expect(() => sealFields(newRing(), { consent }, JOB)).toThrow(
        new TypeError("the field consent of eko.mobile-otp.verify has a Secret inside it"),
      );
    },
  );
});
