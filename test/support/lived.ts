/**
 * A clock that stands still while this process is held up beside others, for what must be over soon by its own doing: a
 * millisecond is a turn of its event loop that came when it was due.
 */
export class Lived implements Disposable {
  #ms = 0;
  readonly #timer = setInterval(() => (this.#ms += 1), 1);

  /** Its age by this clock, in ms. */
  get ms(): number {
    return this.#ms;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
