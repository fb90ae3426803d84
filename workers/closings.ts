import { setTimeout as sleep } from "node:timers/promises";
import { isPassingRefusal, refusalWord } from "../src/redis/refusal.ts";
import { attemptNumber, type Closed, type AttemptEnd } from "../src/records/attempt-end.ts";
import type { Journal } from "../src/records/journal.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

export interface ClosingsDeps {
  readonly journal: Pick<Journal, "finish">;
  readonly metrics: Pick<Metrics, "closingsUnwritten">;
  readonly logger: Logger;
  /** Aborted when nothing can be waited for any more: what is unwritten then is lost, and said. */
  readonly givenUp: AbortSignal;
}

/** Between two tries, in ms: doubles from the first to the last. */
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 1_000;
/** The time after which a closing without an answer of Redis counts as unwritten, in ms: a connection waits for ever. */
const SLOW_MS = 1_000;

/** An outcome on its way. */
interface Writing {
  /** When it counts as unwritten though nobody refused it, on the clock of `performance.now()`. */
  readonly slowAt: number;
  /** Ends what is waited for; null: nothing yet. */
  reject: ((reason: Error) => void) | null;
}

/** What cannot be written now. */
export interface Unwritten {
  readonly count: number;
  /** What Redis says, for example `OOM`; `TIMEOUT` where it says nothing. */
  readonly word: string;
}

/**
 * Outcomes of calls on their way into the journal. A reply that came is the truth: it is kept here and its closing tried
 * again for as long as the process lives and Redis refuses it for a reason that passes. While one is unwritten no further
 * attempt is begun.
 */
export class Closings {
  readonly #deps: ClosingsDeps;
  /** The word of the last refusal. Not by attempt token, which attempts of one moment share. */
  readonly #unwritten = new Map<Writing, string>();
  /** Oldest first. */
  readonly #underWay = new Set<Writing>();
  /** One timer looks for slow ones, for all of them: most are written long before it. */
  #isLookedFor = false;
  #clear = Promise.withResolvers<void>();

  constructor(deps: ClosingsDeps) {
    this.#deps = deps;
    deps.givenUp.addEventListener("abort", () => {
      for (const { reject } of this.#underWay) reject?.(new Error("given up"));
    });
  }

  /** Null: every outcome is written. */
  get unwritten(): Unwritten | null {
    const words = [...this.#unwritten.values()];
    const word = words.at(-1);
    return word === undefined ? null : { count: words.length, word };
  }

  /** Resolves when every outcome is written, or once the signal is aborted; at once where all are. */
  async allWritten(signal: AbortSignal): Promise<void> {
    if (this.#unwritten.size > 0) await orAborted(this.#clear.promise, signal);
  }

  get areAllWritten(): boolean {
    return this.#unwritten.size === 0;
  }

  /** Closes an attempt. Rejects where it never can be (a fault of ours), or with the last refusal once all is given up. */
  async write(id: string, now: number, end: AttemptEnd): Promise<Closed> {
    const { givenUp } = this.#deps;
    const writing: Writing = { slowAt: performance.now() + SLOW_MS, reject: null };
    this.#underWay.add(writing);
    if (!this.#isLookedFor) this.#lookIn(SLOW_MS);
    try {
      for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(2 * waitMs, RETRY_LAST_MS)) {
        try {
          return await this.#finish(writing, id, now, end);
        } catch (error) {
          if (!isPassingRefusal(error) || givenUp.aborted) throw error;
          this.#note(writing, refusalWord(error) ?? "ERR");
          await sleep(waitMs, undefined, { signal: givenUp }).catch(() => {
            throw error;
          });
        }
      }
    } catch (err) {
      this.#sayLost(id, end, err);
      throw err;
    } finally {
      this.#underWay.delete(writing);
      this.#done(writing);
    }
  }

  /** The journal's `finish`, ended when all is given up: a connection may keep a command for ever while Redis is away. */
  async #finish(writing: Writing, id: string, now: number, end: AttemptEnd): Promise<Closed> {
    return await new Promise<Closed>((resolve, reject) => {
      writing.reject = reject;
      this.#deps.journal.finish(id, now, end).then(resolve, reject);
    });
  }

  #lookIn(ms: number): void {
    this.#isLookedFor = true;
    setTimeout(() => {
      this.#isLookedFor = false;
      const now = performance.now();
      for (const writing of this.#underWay) {
        if (writing.slowAt > now) {
          // Those after it have begun later.
          this.#lookIn(writing.slowAt - now);
          return;
        }
        if (!this.#unwritten.has(writing)) this.#note(writing, "TIMEOUT");
      }
    }, ms).unref();
  }

  #note(writing: Writing, word: string): void {
    const { logger, metrics } = this.#deps;
    const isFirst = this.#unwritten.size === 0;
    this.#unwritten.delete(writing); // the newest comes last
    this.#unwritten.set(writing, word);
    metrics.closingsUnwritten(this.#unwritten.size);
    if (!isFirst) return;
    this.#clear = Promise.withResolvers<void>();
    logger.rarely.error({ redis: word }, "outcomes cannot be written; they are kept and no further job is taken");
  }

  #done(writing: Writing): void {
    const { logger, metrics } = this.#deps;
    if (!this.#unwritten.delete(writing)) return;
    metrics.closingsUnwritten(this.#unwritten.size);
    if (this.#unwritten.size > 0) return;
    this.#clear.resolve();
    logger.rarely.info({}, "outcomes are written again");
  }

  #sayLost(id: string, { attemptToken, attempt }: AttemptEnd, err: unknown): void {
    const facts = { job: id, attempt: attemptNumber(attemptToken), client_ref_id: attempt.client_ref_id };
    this.#deps.logger.error(
      { ...facts, outcome: attempt.outcome?.kind ?? null, err },
      "outcome lost: it could not be written; the job will be unknown",
    );
  }
}

/** Outcomes that Redis does not take, in a sentence; null where all are written. */
export function unwrittenText(all: readonly Closings[]): string | null {
  const [first] = all.flatMap(({ unwritten }) => (unwritten === null ? [] : [unwritten]));
  if (first === undefined) return null;
  return `${first.count} outcomes cannot be written: redis refuses them (${first.word})`;
}

/** Resolves with the work, or once the signal is aborted. */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
