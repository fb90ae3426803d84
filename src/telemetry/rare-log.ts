import type { Logger } from "./logger.ts";

/** Between two lines about one cause while it lasts, in ms. */
const EVERY_MS = 60_000;

interface Seen {
  readonly at: number;
  /** Not logged since then. */
  times: number;
}

/** What happens by the thousand is logged when it begins and then once a minute per cause, with how often it came. */
export class RareLog {
  readonly #logger: Logger;
  readonly #monotonic: () => number;
  readonly #seen = new Map<string, Seen>();

  /** `monotonic`: ms of a clock that never jumps. */
  constructor(logger: Logger, monotonic: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#monotonic = monotonic;
  }

  /** `cause`: of few different ones, for example the word of a refusal. */
  log(level: "warn" | "error", cause: string, facts: Readonly<Record<string, unknown>>, message: string): void {
    const now = this.#monotonic();
    const key = `${message} ${cause}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined && now - seen.at < EVERY_MS) {
      seen.times++;
      return;
    }
    this.#seen.set(key, { at: now, times: 0 });
    this.#logger[level](
      { ...facts, ...(seen === undefined || seen.times === 0 ? {} : { times: seen.times + 1 }) },
      message,
    );
  }
}
