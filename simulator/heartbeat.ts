/** Between two beats, in ms. */
const EVERY_MS = 1;
/** A request's last byte comes in the turn of the event loop in which it is stamped, or in the one before: after the beat before that. */
const BEATS = 3;

/**
 * Tells how late a stamp may be: a process that is held up (by the machine, by its own work) hears of a request later than it
 * came, and takes it for one of the next window. A beat that came in time shows that nothing older was left unheard.
 */
export class Heartbeat {
  readonly #now: () => number;
  readonly #beats: number[];
  readonly #timer: NodeJS.Timeout;

  constructor(now: () => number) {
    this.#now = now;
    this.#beats = Array.from({ length: BEATS }, () => now());
    this.#timer = setInterval(() => this.beat(), EVERY_MS).unref();
  }

  beat(): void {
    this.#beats.push(this.#now());
    this.#beats.shift();
  }

  /** What is heard now came after this, in ms since the epoch. */
  get heardUntil(): number {
    return this.#beats[0] ?? this.#now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
