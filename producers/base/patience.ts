import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { refusedBy } from "../../src/redis/failure.ts";
import { isPassingRefusal, refusalWord } from "../../src/redis/refusal.ts";

export interface PatienceOptions {
  /**
   * How long a submission goes on by itself while Redis is away, fails over or refuses what passes, in ms; counted anew
   * with every outage. Nothing is submitted twice by it. Default 0: it fails at once.
   */
  readonly retryForMs?: number;
  /** Told once in every outage why, and until when it is tried again. */
  readonly onRetry?: (why: string, until: Date) => void;
  /** Aborted, it ends the submission at once: SatyapanError `interrupted`, which says what was accepted. */
  readonly signal?: AbortSignal;
}

/** Between two tries, in ms: doubles from the first to the last. */
const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 2_000;

/** No Redis of our own could be started: that does not pass. */
export class NotStartedError extends SatyapanError {}

/** Goes on with one submission's steps, each of which may be made again as it stands. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #now: () => number;
  /** Until when this outage is borne, ms; null: there is none. */
  #until: number | null = null;

  constructor(options: PatienceOptions, now: () => number) {
    const { retryForMs = 0 } = options;
    if (!(retryForMs >= 0 && Number.isFinite(retryForMs))) {
      throw new SatyapanError(ErrorCode.BAD_INPUT, "retryForMs: must be a number of milliseconds, 0 for none");
    }
    this.#options = options;
    this.#now = now;
  }

  /** The result of `work`, or its last error. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { retryForMs = 0, onRetry, signal } = this.#options;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      try {
        const result = await endedBy(signal, work);
        this.#until = null;
        return result;
      } catch (error) {
        if (retryForMs === 0 || !isPassingRefusal(error) || error instanceof NotStartedError) throw error;
        const now = this.#now();
        if (this.#until === null) {
          this.#until = now + retryForMs;
          onRetry?.(whyOf(error), new Date(this.#until));
        }
        const leftMs = this.#until - now;
        if (leftMs <= 0) throw error;
        await endedBy(signal, async () => await sleep(Math.min(waitMs, leftMs), undefined, signal && { signal }));
      }
    }
  }
}

/** What this comes to; null where the signal ends it. */
export async function unlessStopped<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) return null;
    throw error;
  }
}

/** A command that is on its way may hang for seconds: nobody waits for that who pressed Ctrl-C. */
async function endedBy<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined) return await work();
  const interrupted = (): SatyapanError =>
    new SatyapanError(ErrorCode.INTERRUPTED, "the submission was stopped; nothing was accepted");
  if (signal.aborted) throw interrupted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(interrupted());
  signal.addEventListener("abort", stop, { once: true });
  const working = work();
  // Where the signal was first, nobody hears how it ends.
  working.catch(() => {});
  try {
    return await Promise.race([promise, working]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function whyOf(error: unknown): string {
  if (error instanceof SatyapanError) return error.message.replace(/\.$/, "");
  const word = refusalWord(error) ?? "";
  if (word === "CONNECTION") return "the connection to Redis was lost";
  if (word === "TIMEOUT") return "Redis does not answer";
  return refusedBy(error, word);
}
