import { createSecretKey } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ErrorCode, SatyapanError } from "../../../../src/base/error.ts";
import { parseKeyRing } from "../../../../src/privacy/keys/key-ring.ts";

const BYTES_A = Buffer.alloc(32, 0xfb);
const BYTES_B = Buffer.alloc(32, 0xb2);
const A = BYTES_A.toString("base64");
const B = BYTES_B.toString("base64");

function refused(problem: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_SETTINGS, `KEYS ${problem}`);
}

describe("parseKeyRing", () => {
  it("seals with the first key and finds all of them", () => {
    const ring = parseKeyRing(`new:${A}, old:${B}`);
    expect(ring.sealing.id).toBe("new");
    expect(ring.sealing.key.export()).toEqual(BYTES_A);
    expect(ring.find("old")?.key.export()).toEqual(BYTES_B);
    expect(ring.find("older")).toBeUndefined();
  });

  it.each([
    ["standard base64", A],
    ["base64 without padding", A.replace("=", "")],
    ["url-safe base64", BYTES_A.toString("base64url")],
    ["url-safe base64 with padding", `${BYTES_A.toString("base64url")}=`],
  ])("reads %s", (_, text) => {
    expect(parseKeyRing(`k:${text}`).sealing.key.export()).toEqual(BYTES_A);
  });

  it("knows whether another key is among its own", () => {
    const ring = parseKeyRing(`new:${A},old:${B}`);
    expect(ring.has(createSecretKey(BYTES_B))).toBe(true);
    expect(ring.has(createSecretKey(Buffer.alloc(32, 1)))).toBe(false);
  });

  it.each([
    ["no id", A, "must be id:base64key,…, but key 1 of 1 has no id and colon before it"],
    ["nothing", "", "must be id:base64key,…, but key 1 of 1 has no id and colon before it"],
    ["a comma at the end", `k1:${A},`, "must be id:base64key,…, but key 2 of 2 has no id and colon before it"],
    ["an empty id", `:${A}`, 'must have ids of 1 to 16 letters, digits, "_" or "-", which that of key 1 of 1 is not'],
    ["key:id", `${A}:k1`, 'must have ids of 1 to 16 letters, digits, "_" or "-", which that of key 1 of 1 is not'],
    [
      "a dot in an id",
      `k.1:${A}`,
      'must have ids of 1 to 16 letters, digits, "_" or "-", which that of key 1 of 1 is not',
    ],
    ["two keys of one id", `k1:${A},k1:${B}`, "must not have two keys of the id k1"],
    ["one key of two ids", `k1:${A},k2:${A}`, "must not have the same key twice, as k1 and k2"],
  ])("refuses %s", (_, text, problem) => {
    expect(() => parseKeyRing(text, "KEYS")).toThrow(refused(problem));
  });

  it.each([
    ["31 bytes", Buffer.alloc(31, 7).toString("base64")],
    ["33 bytes", Buffer.alloc(33, 7).toString("base64")],
    ["hex", BYTES_A.toString("hex")],
    ["a password", "correct horse battery staple!!!!"],
    ["nothing", ""],
  ])("refuses %s for a key, without repeating it", (_, key) => {
    const problem =
      "must have keys of 32 bytes in base64, which key 2 of 2 is not: `openssl rand -base64 32` makes a key";
    expect(() => parseKeyRing(`k1:${A},k2:${key}`, "KEYS")).toThrow(refused(problem));
  });

  it("refuses a ring that has grown without end", () => {
    const keys = Array.from({ length: 17 }, (_, index) => `k${index}:${Buffer.alloc(32, index).toString("base64")}`);
    expect(() => parseKeyRing(keys.join(","), "KEYS")).toThrow(refused("must have at most 16 keys"));
  });
});

describe("a key ring", () => {
  it("does not show its keys", () => {
    const ring = parseKeyRing(`k1:${A}`);
    const shown = [inspect(ring, { depth: null, showHidden: true }), JSON.stringify(ring)].join("\n");
    for (const text of [A, BYTES_A.toString("hex"), "fb fb", "251"]) expect(shown).not.toContain(text);
  });
});
