import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  batchScope,
  dataKeyOf,
  dayScope,
  isKeyScope,
  newDataKey,
  resultScope,
  scopeEnd,
} from "../../../../src/privacy/sealing/data-key.ts";

it("the scope of a day is the date in UTC", () => {
  for (const time of ["2026-01-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z", "2028-02-29T12:00:00.000Z", "0999-10-09"])
    expect(dayScope(Date.parse(time))).toBe(`day:${time.slice(0, 10)}`);
});

describe("a data key", () => {
  it("has an id of its own and cannot be printed", () => {
    const keys = Array.from({ length: 1_000 }, () => newDataKey("day:2026-11-21"));
    expect(new Set(keys.map(({ dataKey }) => dataKey.id)).size).toBe(1_000);
    for (const { dataKey, bytes } of keys) {
      expect(dataKey.id).toMatch(/^[0-9a-z]{12}$/);
      expect(dataKey.key.export()).toEqual(bytes);
    }
    const { dataKey, bytes } = newDataKey("day:2026-11-21");
    const shown = inspect(dataKey, { depth: 9, showHidden: true }) + JSON.stringify(dataKey);
    expect(shown).not.toContain(Buffer.from(bytes).toString("base64"));
    expect(shown).not.toContain(Buffer.from(bytes).toString("hex"));
  });

  it("has 32 bytes", () => {
    expect(() => dataKeyOf("0123456789ab", "day:2026-11-21", new Uint8Array(16))).toThrow(RangeError);
  });
});

describe("a scope", () => {
  it("is a day of UTC, which ends at its midnight", () => {
    const scope = dayScope(Date.parse("2026-11-22T04:00:00+05:30"));
    expect(scope).toBe("day:2026-11-21");
    expect(scopeEnd(scope)).toBe(Date.parse("2026-11-22T00:00:00Z"));
  });

  it("is a batch, which does not say when it ends", () => {
    expect(batchScope("october-3")).toBe("batch:october-3");
    expect(scopeEnd("batch:october-3")).toBeNull();
    expect(() => batchScope("two words")).toThrow("batch: 1 to 64 characters");
  });

  it("of a result is that of the job's batch, or the day of its own", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    expect(resultScope("batch:b-1", now)).toBe("batch:b-1");
    expect(resultScope("day:2026-11-20", now)).toBe("day:2026-11-21");
    expect(resultScope(null, now)).toBe("day:2026-11-21");
  });

  it.each(["", "day:", "day:2026-13-01", "day:today", "batch:", "week:3", "xday:2026-11-21", "batch:a b"])(
    "is not %j",
    (text) => expect(isKeyScope(text)).toBe(false),
  );
});
