import { setTimeout as sleep } from "node:timers/promises";
import type { Span } from "./span.ts";

/** Why spans were not delivered: `full`: they came faster than they went; `failed`: the collector did not take them. */
export const DROP_REASONS = ["full", "failed", "unplaced"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface SpanQueueDeps {
  /** Rejects where the collector does not take them. */
  readonly send: (spans: readonly Span[]) => Promise<void>;
  readonly onSent: (count: number) => void;
  /** `error`: what the collector, or the way to it, said; null where it was not asked. */
  readonly onDropped: (count: number, reason: DropReason, error: Error | null) => void;
  /** The longest that a span waits for others to go with, in ms. Default 1 s. */
  readonly everyMs?: number;
}

/** Spans that wait at most: as OpenTelemetry's own processor, which does not say what it drops. */
const MOST_WAITING = 2_048;
const MOST_AT_ONCE = 512;
const EVERY_MS = 1_000;
/** What is left of them is sent at the end, for so long; in ms. */
const LAST_MS = 1_000;

/** Spans on their way to the collector. Whoever has one to tell never waits: what does not fit is dropped and counted. */
export class SpanQueue {
  readonly #deps: SpanQueueDeps;
  readonly #waiting: Span[] = [];
  /** With the collector now. */
  #sending = 0;
  #isOver = false;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake = Promise.withResolvers<void>();

  constructor(deps: SpanQueueDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  offer(spans: readonly Span[]): void {
    const room = MOST_WAITING - this.#waiting.length;
    this.#waiting.push(...spans.slice(0, room));
    if (spans.length > room) this.#deps.onDropped(spans.length - Math.max(0, room), "full", null);
    if (this.#waiting.length >= MOST_AT_ONCE) this.#wake.resolve();
  }

  /** Sends what is left, for a second at most; what is unsent then is dropped. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.resolve();
    await Promise.race([this.#running, sleep(LAST_MS, undefined, { ref: false })]);
    this.#isOver = true;
    const left = this.#waiting.splice(0).length + this.#sending;
    const late = Object.assign(new Error("it has not answered by the end"), { code: "NO_ANSWER" });
    if (left > 0) this.#deps.onDropped(left, "failed", late);
  }

  async #run(): Promise<void> {
    const { everyMs = EVERY_MS } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await Promise.race([this.#wake.promise, sleep(everyMs, undefined, { ref: false })]);
      this.#wake = Promise.withResolvers<void>();
      while (this.#waiting.length > 0 && (signal.aborted || this.#waiting.length >= MOST_AT_ONCE)) await this.#send();
      if (this.#waiting.length > 0) await this.#send();
    }
  }

  async #send(): Promise<void> {
    const { send, onSent, onDropped } = this.#deps;
    const spans = this.#waiting.splice(0, MOST_AT_ONCE);
    this.#sending = spans.length;
    try {
      await send(spans);
      if (!this.#isOver) onSent(spans.length);
    } catch (error) {
      const fault = error instanceof Error ? error : new Error("no error was given");
      if (!this.#isOver) onDropped(spans.length, "failed", fault);
    } finally {
      this.#sending = 0;
    }
  }
}
