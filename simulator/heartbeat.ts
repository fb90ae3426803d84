import type { Socket } from "node:net";

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
  /** New connections, and after when the first request of each came. */
  readonly #fresh = new WeakMap<Socket, number>();
  #acceptedAt = Number.NEGATIVE_INFINITY;
  #queuedSince = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#beats = Array.from({ length: BEATS }, () => now());
    this.#timer = setInterval(() => this.beat(), EVERY_MS).unref();
  }

  beat(): void {
    this.#beats.push(this.#now());
    this.#beats.shift();
  }

  /**
   * Node accepts one connection in a turn of the event loop: those that follow one another may all have waited since the
   * first of them, and their requests with them.
   */
  accepted(socket: Socket): void {
    if (this.#acceptedAt < this.#heardUntil) this.#queuedSince = this.#heardUntil;
    this.#acceptedAt = this.#now();
    this.#fresh.set(socket, this.#queuedSince);
  }

  /** After when a request came that is heard now, in ms since the epoch. */
  cameAfter(socket: Socket): number {
    const queuedSince = this.#fresh.get(socket) ?? this.#heardUntil;
    this.#fresh.delete(socket);
    return Math.min(queuedSince, this.#heardUntil);
  }

  get #heardUntil(): number {
    return this.#beats[0] ?? this.#now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
