/** More is a provider's mistake, or somebody else's. */
const LONGEST_MS = 24 * 60 * 60 * 1_000;

/**
 * How long a provider asks to be left alone, in ms, at most a day: by `Retry-After` (seconds, or an HTTP date), else by a
 * RateLimit header. Times are compared with the reply's own `date`, because the two clocks are then one. Null where
 * nothing readable is said, or a wait that is none (0, or a time that is over): our own doubling wait is longer than that.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | null {
  const now = httpDate(headers["date"]?.trim() ?? "");
  const value = headers["retry-after"]?.trim() ?? "";
  const until = httpDate(value);
  const ms = secondsOf(value) ?? (until === null || now === null ? rateLimitReset(headers, now) : until - now);
  return ms === null || ms <= 0 ? null : Math.min(ms, LONGEST_MS);
}

/** More seconds than this are not a wait but a time since 1970. */
const LONGEST_WAIT_S = 1_000_000_000;

/**
 * `RateLimit: "default";r=0;t=30` and `RateLimit-Reset: 30` (IETF's drafts, the second also as `reset=30` in `RateLimit`), or
 * `X-RateLimit-Reset`, which some give in seconds from now and some as a time.
 */
function rateLimitReset(headers: Readonly<Record<string, string>>, now: number | null): number | null {
  const combined = /(?:^|[;,\s])(?:t|reset)=(\d{1,9})(?:$|[;,\s])/.exec(headers["ratelimit"] ?? "")?.[1];
  const given = combined ?? headers["ratelimit-reset"]?.trim() ?? headers["x-ratelimit-reset"]?.trim() ?? "";
  const ms = secondsOf(given);
  if (ms === null || ms < LONGEST_WAIT_S * 1_000) return ms;
  return now === null ? null : ms - now;
}

function secondsOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) * 1_000 : null;
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7) and nothing that `Date.parse` would guess at. */
export function httpDate(text: string): number | null {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}
