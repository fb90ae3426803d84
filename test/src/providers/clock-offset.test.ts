import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLOCK_TOLERANCE_MS, ClockOffset, isDrift, readDate } from "../../../src/providers/clock-offset.ts";

const NOW = Date.UTC(2026, 0, 15, 10, 0, 0, 250);

/** What we see of a call that is sent at `sentAt` and answered `there` ms later by a clock that is `offset` ahead of ours. */
function reply(sentAt: number, offset: number, there = 40, back = 40) {
  const provider = sentAt + there + offset;
  return { dateMs: provider - (provider % 1_000), sentAt, receivedAt: sentAt + there + back };
}

describe("the offset to a provider's clock", () => {
  it("is 0 before the first reply, and while the clocks agree to the second", () => {
    const clock = new ClockOffset();
    expect(clock.offsetMs).toBe(0);
    for (let at = NOW; at < NOW + 60_000; at += 130) clock.observe(reply(at, 0));
    expect(clock.offsetMs).toBe(0);
    expect(clock.correctionMs).toBe(0);
  });

  it("is learnt to within a second and the round trip from one reply, and never said too large", () => {
    const offsets = fc.integer({ min: -86_400_000, max: 86_400_000 });
    const delay = fc.integer({ min: 0, max: 30_000 });
    fc.assert(
      fc.property(offsets, delay, delay, fc.nat(10_000), (offset, there, back, phase) => {
        const clock = new ClockOffset();
        clock.observe(reply(NOW + phase, offset, there, back));
        expect(Math.abs(clock.offsetMs)).toBeLessThanOrEqual(Math.abs(offset));
        expect(Math.abs(clock.offsetMs - offset)).toBeLessThanOrEqual(1_000 + there + back);
      }),
    );
  });

  it("is narrowed down to the round trip by replies of different moments of a second", () => {
    fc.assert(
      fc.property(fc.integer({ min: -600_000, max: 600_000 }), (offset) => {
        const clock = new ClockOffset();
        for (let n = 0; n < 60; n++) clock.observe(reply(NOW + n * 1_017, offset, 30, 30));
        expect(Math.abs(clock.offsetMs - offset)).toBeLessThanOrEqual(30 + 17);
      }),
    );
  });

  it("is not made a drift by a call that took long", () => {
    const clock = new ClockOffset();
    clock.observe(reply(NOW, 0, 29_000, 10));
    clock.observe(reply(NOW, 0, 10, 29_000));
    expect(clock.offsetMs).toBe(0);
  });

  it("follows at once a clock that is set, ours or the provider's", () => {
    const clock = new ClockOffset();
    for (let n = 0; n < 20; n++) clock.observe(reply(NOW + n * 1_017, 0));
    clock.observe(reply(NOW + 30_000, 600_000));
    expect(clock.offsetMs).toBeGreaterThan(598_900);
    expect(clock.correctionMs).toBe(clock.offsetMs);
    clock.observe(reply(NOW + 31_000, 0));
    expect(clock.correctionMs).toBe(0);
  });

  it("forgets what it learnt long ago, so that a slow drift is no contradiction", () => {
    const clock = new ClockOffset();
    let worst = 0;
    // A day in which a clock that is 8 s ahead loses 4 of them.
    for (let after = 0; after < 86_400_000; after += 5_017) {
      const offset = Math.round(8_000 - after * 5e-5);
      clock.observe(reply(NOW + after, offset));
      if (after > 600_000) worst = Math.max(worst, Math.abs(clock.offsetMs - offset));
    }
    expect(worst).toBeLessThan(150);
    expect(clock.correctionMs).toBeLessThan(4_000);
  });

  it("learns nothing from a call during which our clock was set back", () => {
    const clock = new ClockOffset();
    clock.observe({ dateMs: NOW + 600_000, sentAt: NOW, receivedAt: NOW - 5_000 });
    expect(clock.offsetMs).toBe(0);
  });

  it("corrects signatures, and is a drift, only beyond the tolerance", () => {
    expect(isDrift(CLOCK_TOLERANCE_MS)).toBe(false);
    expect(isDrift(-CLOCK_TOLERANCE_MS - 1)).toBe(true);
    const clock = new ClockOffset();
    for (let n = 0; n < 60; n++) clock.observe(reply(NOW + n * 1_017, 1_900));
    expect(clock.offsetMs).toBeGreaterThan(1_800);
    expect(clock.correctionMs).toBe(0);
  });
});

describe("a reply's date", () => {
  it("is read as an HTTP date, and not guessed at", () => {
    expect(readDate({ date: "Thu, 15 Jan 2026 10:00:00 GMT" })).toBe(Date.UTC(2026, 0, 15, 10));
    for (const date of ["0", "2026-01-15", "yesterday", ""]) expect(readDate({ date })).toBeNull();
    expect(readDate({})).toBeNull();
  });

  it.each(["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 2100 00:00:00 GMT"])("is not believed: %s", (date) => {
    expect(readDate({ date })).toBeNull();
  });

  it("is not taken from a cache", () => {
    expect(readDate({ date: "Thu, 15 Jan 2026 10:00:00 GMT", age: "30" })).toBeNull();
  });
});
