/** What a process that was killed says: nothing more. */
export class Killed extends Error {}

/** A process that is killed at its n-th moment before or after a write; Infinity: never. What it counted is `moments`. */
export class Mortal {
  moments = 0;
  readonly #last: number;

  constructor(last = Infinity) {
    this.#last = last;
  }

  /** The same object, whose named methods have a moment before and one after. */
  wrap<T extends object>(target: T, methods: readonly (keyof T)[]): T {
    return new Proxy(target, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value !== "function") return value;
        const call = value.bind(of) as (...args: unknown[]) => unknown;
        if (!methods.includes(name as keyof T)) return call;
        return async (...args: unknown[]) => {
          this.#moment();
          const answer = await call(...args);
          this.#moment();
          return answer;
        };
      },
    });
  }

  #moment(): void {
    this.moments++;
    if (this.moments >= this.#last) throw new Killed();
  }
}
