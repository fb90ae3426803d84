import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOwnId, newId } from "../../../src/records/ids.ts";

describe("newId", () => {
  it("fits Eko's client_ref_id at any time of the next centuries", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 43 }), (now) => {
        expect(newId(now)).toMatch(/^[a-z0-9]{20}$/);
      }),
    );
  });

  it("sorts by time", () => {
    const ids = [1_700_000_000_000, 1_700_000_000_001, 1_900_000_000_000].map((now) => newId(now));
    expect(ids.toSorted()).toEqual(ids);
  });

  it("is another one every time", () => {
    const ids = Array.from({ length: 10_000 }, () => newId(1_700_000_000_000));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("uses random bytes evenly: those above a multiple of the alphabet are thrown away", () => {
    const bytes = [255, 252, 0, 251, 35, 36];
    const random = (size: number) => Uint8Array.from({ length: size }, (_, index) => bytes[index % bytes.length] ?? 0);
    expect(newId(0, random)).toBe("000000000zz00zz00z0z");
  });
});

describe("checkOwnId", () => {
  it.each(["order-1001", "a", "A.b_c-9", "1234567890", "x".repeat(64)])("takes %s", (id) => {
    expect(checkOwnId(id)).toBe(id);
  });

  it.each(["", "x".repeat(65), "a b", "a:b", "a/b", "{a}", "é"])("refuses %j, and says what is allowed", (id) => {
    expect(() => checkOwnId(id)).toThrow(/^id: 1 to 64 characters/);
  });

  it("refuses an Aadhaar number anywhere in it, without repeating it", () => {
    const check = () => checkOwnId("kyc-999999990019");
    expect(check).toThrow(/Aadhaar/);
    expect(check).not.toThrow(/999999990019/);
  });
});
