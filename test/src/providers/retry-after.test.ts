import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../../src/providers/retry-after.ts";

const DATE = "Wed, 21 Oct 2026 07:28:00 GMT";
const DAY_MS = 86_400_000;

describe("retryAfterMs", () => {
  it.each([
    [{ "retry-after": "0" }, null],
    [{ "retry-after": " 120 " }, 120_000],
    [{ "retry-after": "999999999" }, DAY_MS],
    [{ "retry-after": "1.5" }, null],
    [{ "retry-after": "-1" }, null],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "" }, null],
    [{ date: DATE }, null],
    [{ "retry-after": "Wed, 21 Oct 2026 07:29:00 GMT", date: DATE }, 60_000],
    [{ "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", date: DATE }, null],
    [{ "retry-after": "Wed, 21 Oct 2099 07:27:00 GMT", date: DATE }, DAY_MS],
    [{ "retry-after": "Wed, 21 Oct 2026 07:29:00 GMT" }, null],
    [{ "retry-after": "2026-10-21T07:29:00Z", date: DATE }, null],
    [{ "retry-after": "Wed, 99 Oct 2026 07:29:00 GMT", date: DATE }, null],
  ])("of %j is %j", (headers, ms) => {
    expect(retryAfterMs(headers)).toBe(ms);
  });

  it.each([
    [{ ratelimit: '"default";r=0;t=30' }, 30_000],
    [{ ratelimit: "limit=100, remaining=0, reset=50" }, 50_000],
    [{ "ratelimit-reset": "7" }, 7_000],
    [{ "x-ratelimit-reset": "12" }, 12_000],
    [{ "x-ratelimit-reset": "1795000010", date: new Date(1_795_000_000_000).toUTCString() }, 10_000],
    [{ "x-ratelimit-reset": "1795000010" }, null],
    [{ ratelimit: "nonsense" }, null],
    [{ "retry-after": "3", "ratelimit-reset": "99" }, 3_000],
  ] as const)("reads RateLimit headers where there is no Retry-After: %j", (headers, ms) => {
    expect(retryAfterMs(headers)).toBe(ms);
  });
});
