import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { istToIso } from "../../../../src/providers/eko/ist-time.ts";

describe("istToIso", () => {
  it.each([
    ["Fri May 22 16:04:04 IST 2026", "2026-05-22T10:34:04.000Z"],
    ["Thu Jan 01 00:00:00 IST 2026", "2025-12-31T18:30:00.000Z"],
    ["Thu Feb 29 05:30:00 IST 2024", "2024-02-29T00:00:00.000Z"],
    ["Fri May 22 16:04:04 UTC 2026", null],
    ["Fri May 22 16:04:04 GMT+05:30 2026", null],
    ["Fri Feb 29 16:04:04 IST 2026", null],
    ["Fri May 32 16:04:04 IST 2026", null],
    ["Fri May 22 25:04:04 IST 2026", null],
    ["Fri anF 22 16:04:04 IST 2026", null],
    ["Fri Mai 22 16:04:04 IST 2026", null],
    ["2026-05-22T16:04:04", null],
    ["", null],
    [1_779_446_044, null],
    [null, null],
  ])("reads %j as %j", (text, iso) => {
    expect(istToIso(text)).toBe(iso);
  });

  it("reads back every second that Java would write", () => {
    const date = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(date, (instant) => {
        instant.setUTCMilliseconds(0);
        const [weekday, day, month, year, time] = new Date(instant.getTime() + 19_800_000).toUTCString().split(/,? /);
        expect(istToIso(`${weekday} ${month} ${day} ${time} IST ${year}`)).toBe(instant.toISOString());
      }),
    );
  });
});
