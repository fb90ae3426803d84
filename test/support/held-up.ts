import type { TestContext } from "vitest";

/** Between two beats, in ms. */
const EVERY_MS = 1;
/** A timer comes late by this much on a machine without other work, in ms. */
const TIMER_LATE_MS = 2;

/**
 * How long this process was held up by the machine, in ms: the time by which a turn of its event loop came too late, without
 * what the process worked in it. A test that claims a rate or a time asks for it before the claim.
 */
export class HeldUp implements Disposable {
  #beatAt = performance.now();
  #worked = process.threadCpuUsage();
  #longestMs = 0;
  #sumMs = 0;
  readonly #timer = setInterval(() => this.#beat(), EVERY_MS);

  /** Reports the test as skipped, where the machine held it up once for longer than the claim that follows can bear. */
  skipIfLonger(mostMs: number, { skip }: TestContext): void {
    this.#beat();
    if (this.#longestMs > mostMs) skip(`held up ${Math.round(this.#longestMs)} ms, of ${mostMs} ms allowed`);
  }

  /** The same for a claim about a sum or a rate, which all that it was held up falsifies. */
  skipIfMore(mostMs: number, { skip }: TestContext): void {
    this.#beat();
    if (this.#sumMs > mostMs) skip(`held up ${Math.round(this.#sumMs)} ms in all, of ${mostMs} ms allowed`);
  }

  #beat(): void {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(this.#worked);
    const lateMs = Math.max(0, now - this.#beatAt - EVERY_MS - TIMER_LATE_MS - (user + system) / 1_000);
    this.#sumMs += lateMs;
    this.#longestMs = Math.max(this.#longestMs, lateMs);
    this.#beatAt = now;
    this.#worked = process.threadCpuUsage();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
