/** Hears of a fault of our own that nobody caught. Says how long the process may still take to end in good order, in ms. */
export type FaultListener = (error: unknown) => number;

/** Faults that reach the process itself: `uncaughtException` and `unhandledRejection`. One listener, the command that runs. */
export class Faults {
  #listener: FaultListener | null = null;
  #count = 0;

  /** Until the returned object is disposed of. */
  listen(listener: FaultListener): Disposable {
    this.#listener = listener;
    return { [Symbol.dispose]: () => void (this.#listener = null) };
  }

  /** For the process: null where nothing has to be waited for, so that it ends now. */
  tell(error: unknown): number | null {
    this.#count++;
    return this.#listener?.(error) ?? null;
  }

  /** Whether there was any: what is left of the process is then not to be trusted. */
  get any(): boolean {
    return this.#count > 0;
  }
}
