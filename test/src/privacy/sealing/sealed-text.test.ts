import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { type DataKey, newDataKey } from "../../../../src/privacy/sealing/data-key.ts";
import {
  dataKeyIdOf,
  dataKeyIdsIn,
  MOST_SEALED,
  openSealed,
  type SealedFor,
  Sealer,
} from "../../../../src/privacy/sealing/sealed-text.ts";
import { refusal } from "../../providers/refusal.ts";

const AADHAAR = "999999990019";
const FOR: SealedFor = { operation: "eko.mobile-otp.verify", jobId: "j-1", field: "otp" };

const text = fc.string({ unit: "binary", maxLength: 60 });
const sealedFor = fc.record({ operation: text, jobId: text, field: text });

function newKey(): DataKey {
  return newDataKey("day:2026-11-21").dataKey;
}

function bytesOf(sealed: string): Buffer {
  return Buffer.from(sealed.slice(16), "base64url");
}

function withBytes(sealed: string, bytes: Buffer): string {
  return sealed.slice(0, 16) + bytes.toString("base64url");
}

describe("a sealed text", () => {
  it("gives back any text for the same operation, job and field", () => {
    const key = newKey();
    const sealer = new Sealer(key, 1);
    fc.assert(
      fc.property(text, sealedFor, (clear, associated) => {
        expect(openSealed(key, sealer.seal(clear, associated), associated)).toBe(clear);
      }),
    );
  });

  it("gives back a long text, and one that came as bytes", () => {
    const key = newKey();
    const sealer = new Sealer(key, 1);
    const address = "मकान १२, गली ३ — 🏠 ".repeat(5_000);
    expect(openSealed(key, sealer.seal(address, FOR), FOR)).toBe(address);
    expect(openSealed(key, sealer.seal(Buffer.from(address), FOR), FOR)).toBe(address);
  });

  it("is not made of bytes that are not text, which could not be given back", () => {
    expect(() => new Sealer(newKey(), 1).seal(Uint8Array.of(0xc3, 0x28), FOR)).toThrow(TypeError);
  });

  it("is the version, the data key's id, and then nonce, ciphertext and tag in base64url, and shows nothing", () => {
    const key = newKey();
    const sealed = new Sealer(key, 1).seal(AADHAAR, FOR);
    expect(sealed).toMatch(new RegExp(`^s2\\.${key.id}\\.[A-Za-z0-9_-]+$`));
    expect(bytesOf(sealed)).toHaveLength(12 + AADHAAR.length + 16);
    expect(sealed).not.toContain(AADHAAR);
    expect(bytesOf(sealed).includes(AADHAAR)).toBe(false);
  });

  it("tells its key's id, also out of the middle of a JSON text", () => {
    const [one, other] = [newKey(), newKey()];
    const texts = [one, other].map((key) => new Sealer(key, 1).seal(AADHAAR, FOR));
    expect(texts.map(dataKeyIdOf)).toEqual([one.id, other.id]);
    expect(dataKeyIdsIn(JSON.stringify({ plain: {}, sealed: texts }))).toEqual([one.id, other.id]);
    expect(dataKeyIdOf(` ${texts[0]}`)).toBeNull();
  });
});

describe("a nonce", () => {
  const nonceOf = (sealed: string): Buffer => bytesOf(sealed).subarray(0, 12);

  it("is the sealer's number, four random bytes, and a counter", () => {
    const sealer = new Sealer(newKey(), 0x01020304);
    const nonces = [1, 2, 3].map(() => nonceOf(sealer.seal(AADHAAR, FOR)));
    expect(nonces.map((nonce) => nonce.readUInt32BE(0))).toEqual([0x01020304, 0x01020304, 0x01020304]);
    expect(nonces.map((nonce) => nonce.readUInt32BE(8))).toEqual([0, 1, 2]);
    expect(new Set(nonces.map((nonce) => nonce.readUInt32BE(4))).size).toBe(1);
  });

  it("differs though two sealers have the same number, as after a Redis that was put back from a backup", () => {
    const key = newKey();
    const nonces = Array.from({ length: 100 }, () => nonceOf(new Sealer(key, 7).seal(AADHAAR, FOR)).toString("hex"));
    expect(new Set(nonces).size).toBe(100);
  });

  it("never comes twice: a sealer whose counter is at its end seals no more", () => {
    const sealer = new Sealer(newKey(), 1, { sealed: MOST_SEALED - 2 });
    const last = [sealer.seal(AADHAAR, FOR), sealer.seal(AADHAAR, FOR)].map((sealed) =>
      nonceOf(sealed).readUInt32BE(8),
    );
    expect(last).toEqual([0xfffffffe, 0xffffffff]);
    expect(sealer.left).toBe(0);
    expect(() => sealer.seal(AADHAAR, FOR)).toThrow(RangeError);
  });
});

describe("openSealed", () => {
  it("opens nothing in which a single bit was changed", () => {
    const key = newKey();
    const sealer = new Sealer(key, 1);
    fc.assert(
      fc.property(text, fc.nat(), fc.integer({ min: 0, max: 7 }), (clear, position, bit) => {
        const sealed = sealer.seal(clear, FOR);
        const bytes = bytesOf(sealed);
        const index = position % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        expect(refusal(() => openSealed(key, withBytes(sealed, bytes), FOR)).code).toBe(ErrorCode.UNREADABLE);
      }),
    );
  });

  it("opens no text but the very one that was written", () => {
    const key = newKey();
    const sealer = new Sealer(key, 1);
    const character = fc.constantFrom("A", "B", "x", "y", "0", "9", "-", "_", "+", "/", "=", ".", " ", "\n", "\u00e9");
    fc.assert(
      fc.property(text, fc.nat(), character, (clear, position, other) => {
        const sealed = sealer.seal(clear, FOR);
        const index = position % sealed.length;
        fc.pre(sealed[index] !== other);
        for (const altered of [
          sealed.slice(0, index) + other + sealed.slice(index + 1),
          sealed.slice(0, index) + other + sealed.slice(index),
          sealed + other,
          sealed.slice(0, index),
        ])
          expect(refusal(() => openSealed(key, altered, FOR)).code).toBe(ErrorCode.UNREADABLE);
      }),
    );
  });

  it("opens nothing that was sealed for another operation, job or field", () => {
    const key = newKey();
    const sealer = new Sealer(key, 1);
    fc.assert(
      fc.property(sealedFor, sealedFor, (one, other) => {
        fc.pre(one.operation !== other.operation || one.jobId !== other.jobId || one.field !== other.field);
        expect(refusal(() => openSealed(key, sealer.seal(AADHAAR, one), other)).code).toBe(ErrorCode.UNREADABLE);
      }),
    );
  });

  it("is not deceived by names that read the same one after the other", () => {
    const key = newKey();
    const sealed = new Sealer(key, 1).seal(AADHAAR, { operation: "a|1:b", jobId: "c", field: "d" });
    for (const [operation, jobId, field] of [
      ["a", "b", "1:c|d"],
      ["a|1:b|1:c", "", "d"],
      ["a", "1:b", "c|d"],
      ["a|1:b", "c|d", ""],
    ] as const)
      expect(refusal(() => openSealed(key, sealed, { operation, jobId, field })).code).toBe(ErrorCode.UNREADABLE);
  });

  it("does not open with another key, even if the text names it", () => {
    const [one, other] = [newKey(), newKey()];
    const renamed = new Sealer(one, 1).seal(AADHAAR, FOR).replace(one.id, other.id);
    expect(refusal(() => openSealed(other, renamed, FOR)).code).toBe(ErrorCode.UNREADABLE);
  });

  it("says the same of an altered, a truncated and a misplaced text, and of one of the form before", () => {
    const key = newKey();
    const sealer = new Sealer(key, 1);
    const sealed = sealer.seal(AADHAAR, FOR);
    const texts = [
      sealer.seal(AADHAAR, { ...FOR, field: "aadhaar" }),
      new Sealer(newKey(), 1).seal(AADHAAR, FOR),
      ...[sealed.slice(0, -1), sealed.slice(0, 20), `${sealed}A`, "", "s2", `s2.${key.id}.`, `s2.${key.id}`],
      sealed.replace("s2", "s1"),
      "s1.k1.AAAA",
    ];
    const refusals = texts.map((one) => refusal(() => openSealed(key, one, FOR)));
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
