import type { PatienceOptions } from "../base/patience.ts";

/** An outage of Redis is borne for so long by who looks on for hours, in ms. */
const BORNE_MS = 3_600_000;

/** What such a command does while Redis is away: it says so once, and goes on when it is back. */
export function bearOutages(say: (text: string) => void): Required<Pick<PatienceOptions, "retryForMs" | "onRetry">> {
  const onRetry = (why: string, until: Date): void =>
    say(`${why}; looked for again until ${until.toISOString()}, Ctrl-C ends it`);
  return { retryForMs: BORNE_MS, onRetry };
}
