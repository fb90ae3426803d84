/** The most jobs of one script: it keeps Redis busy for well under a millisecond. */
const MOST = 32;

/**
 * Gathers what is asked for into few round trips. A busy worker's jobs come by the handful, and a script costs more to call than to
 * run: so what is asked for within one turn of the event loop goes together, and what is asked for while that is under way goes when
 * it has been answered, which Redis would not have looked at sooner.
 */
export class SharedRoundTrip<Ask, Answer> {
  readonly #send: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Ask, Answer>[] = [];
  #underWay = 0;

  /** `send` answers each ask, in order. */
  constructor(send: (asks: readonly Ask[]) => Promise<readonly Answer[]>) {
    this.#send = send;
  }

  /** Rejects with what `send` rejects with, as all that went with it do. */
  async ask(ask: Ask): Promise<Answer> {
    return await new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ ask, resolve, reject });
      if (this.#waiting.length === 1 && this.#underWay === 0) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length; from += MOST) void this.#sendSome(waiting.slice(from, from + MOST));
  }

  async #sendSome(some: readonly Waiting<Ask, Answer>[]): Promise<void> {
    this.#underWay += 1;
    try {
      const answers = await this.#send(some.map(({ ask }) => ask));
      for (const [index, { resolve }] of some.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of some) reject(error);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0 && this.#waiting.length > 0) setImmediate(() => this.#flush());
    }
  }
}

interface Waiting<Ask, Answer> {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}
