import { describe, expect, it } from "vitest";
import { parseTraceparent, traceparentOf } from "../../../src/base/trace-context.ts";
import { spanIdOf, tracePlaceOf, traceRootOf } from "../../../src/records/trace-place.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("a traceparent", () => {
  it("is read as W3C's own example, and written as it was", () => {
    const text = `00-${TRACE}-${SPAN}-01`;
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
    expect(traceparentOf({ traceId: TRACE, spanId: SPAN, isSampled: true })).toBe(text);
  });

  it.each([
    ["not sampled", `00-${TRACE}-${SPAN}-00`, false],
    ["with flags of later days", `00-${TRACE}-${SPAN}-03`, true],
    ["of a later version, which says more", `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ])("is read where it is %s", (_what, text, isSampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  it.each([
    ["", "x", `00-${TRACE}-${SPAN}`, `00-${TRACE}-${SPAN}-1`, `00-${TRACE}-${SPAN}-01-more`],
    [`ff-${TRACE}-${SPAN}-01`, `00-${TRACE.toUpperCase()}-${SPAN}-01`, `00-${TRACE.slice(1)}-${SPAN}-01`],
    [`00-${"0".repeat(32)}-${SPAN}-01`, `00-${TRACE}-${"0".repeat(16)}-01`, `00-${TRACE}-${SPAN}-01\n`],
  ])("is refused where W3C says so: %s …", (...texts) => {
    expect(texts.map(parseTraceparent)).toEqual(texts.map(() => null));
  });
});

describe("the trace of a job", () => {
  it.each([
    ["its own", { id: "j1", parent: null, of: null }, "j1"],
    ["its onboarding's", { id: "o1-aadhaar", parent: { kind: "o", of: "o1", part: "aadhaar" }, of: null }, "o1"],
    [
      "its onboarding's, though it answers",
      { id: "o1-a-v1", parent: { kind: "o", of: "o1", part: "v" }, of: "o1-a" },
      "o1",
    ],
    ["its row's", { id: "b123456789-7", parent: { kind: "b", of: "b123456789", part: "7" }, of: null }, "b123456789-7"],
    ["its send's", { id: "v1", parent: null, of: "j1" }, "j1"],
    ["that of the first send, of another in its place", { id: "j1-s2", parent: null, of: null }, "j1"],
    ["that of the first send, of a verify of another", { id: "j1-s2-v1", parent: null, of: "j1-s2" }, "j1"],
  ] as const)("is %s", (_whose, part, root) => {
    expect(traceRootOf(part)).toBe(root);
  });

  it("is the same in every process without a word between them, and that of nobody else", () => {
    const place = tracePlaceOf("0mhq3k1x7c4d9f2a1b", null, 1);
    expect(place).toEqual(tracePlaceOf("0mhq3k1x7c4d9f2a1b", null, 1));
    expect(place).toMatchObject({ submitterSpanId: null, isSampled: true, rootSpanId: spanIdOf("0mhq3k1x7c4d9f2a1b") });
    expect(`${place.traceId} ${place.rootSpanId}`).toMatch(/^[\da-f]{32} [\da-f]{16}$/);
    const ids = Array.from({ length: 10_000 }, (_, n) => tracePlaceOf(`job-${n}`, null, 1).traceId);
    expect(new Set(ids).size).toBe(10_000);
  });

  it("is kept by its own share, the same ones at each share, or as whoever began it says", () => {
    const kept = (share: number): number[] =>
      Array.from({ length: 10_000 }, (_, n) => n).filter((n) => tracePlaceOf(`job-${n}`, null, share).isSampled);
    expect(kept(0)).toEqual([]);
    expect(kept(1)).toHaveLength(10_000);
    expect(kept(0.1).length).toBeGreaterThan(900);
    expect(kept(0.1).length).toBeLessThan(1_100);
    expect(kept(0.2)).toEqual(expect.arrayContaining(kept(0.1)));
    const given = { traceId: TRACE, spanId: SPAN, isSampled: true };
    expect(tracePlaceOf("j1", given, 0)).toMatchObject({ traceId: TRACE, submitterSpanId: SPAN, isSampled: true });
    expect(tracePlaceOf("j1", { ...given, isSampled: false }, 1).isSampled).toBe(false);
  });
});
