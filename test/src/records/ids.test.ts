import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOwnId, createIds, jobIdInReference } from "../../../src/records/ids.ts";

/** Random bytes that repeat these. */
function repeating(...bytes: number[]): (buffer: Buffer) => void {
  return (buffer) => void buffer.fill(Buffer.from(bytes));
}

describe("createIds", () => {
  it("makes ids whose attempts' references fit Eko's client_ref_id at any time of the next centuries", () => {
    const ids = createIds();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 41 }), (now) => {
        expect(ids.job(now)).toMatch(/^[a-z0-9]{18}$/);
        expect(ids.reference(now)).toMatch(/^[a-z0-9]{20}$/);
      }),
    );
  });

  it("sorts by time", () => {
    const ids = createIds();
    const made = [1_700_000_000_000, 1_700_000_000_001, 1_900_000_000_000].map((now) => ids.job(now));
    expect(made.toSorted()).toEqual(made);
  });

  it("makes another one every time, in this process and in any other", () => {
    const [one, other] = [createIds(), createIds()];
    const made = Array.from({ length: 10_000 }, (_, index) => (index % 2 === 0 ? one : other).job(1_700_000_000_000));
    expect(new Set(made).size).toBe(made.length);
  });

  it("uses random bytes evenly: those above a multiple of the alphabet are thrown away", () => {
    expect(createIds(repeating(255, 252, 0, 251, 35, 36)).job(0)).toBe("000000000zz00zz00z");
    expect(createIds(repeating(255, 252, 0, 251, 35, 36)).reference(0)).toBe("000000000zz00zz00zz0");
  });

  it("asks for thousands of bytes at once, and uses none of them twice", () => {
    const asked: number[] = [];
    let next = 0;
    const ids = createIds((buffer) => {
      asked.push(buffer.length);
      // 36² texts of two characters, one after the other.
      for (let at = 0; at < buffer.length; at += 2, next++) buffer.set([Math.floor(next / 36) % 36, next % 36], at);
    });
    const random = Array.from({ length: 1_000 }, () => ids.job(0).slice(8)).join("");
    expect(asked).toEqual([4_096, 4_096, 4_096]);
    const pairs = random.match(/../g) ?? [];
    expect(pairs.map((pair) => Number.parseInt(pair, 36))).toEqual(pairs.map((_, index) => index % 1_296));
  });
});

describe("jobIdInReference", () => {
  it("is the first 18 characters of what may have been made of a generated id", () => {
    const id = createIds().job(1_700_000_000_000);
    expect(jobIdInReference(`${id}zz`)).toBe(id);
  });

  it.each(["", "ref-1", "x".repeat(18), "x".repeat(19), "x".repeat(21), `${"x".repeat(19)}-`, "X".repeat(20)])(
    "is none in %j",
    (text) => {
      expect(jobIdInReference(text)).toBeNull();
    },
  );
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
