import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Client, SatyapanError } from "../producers/index.ts";
import { type Person, type Reading, TRIES } from "./person.ts";

export interface PhonesOptions {
  readonly client: Client;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Where the stand-in for the providers is. */
  readonly simulator: string;
}

const VERIFY_MS = 60_000;
/** For the next SMS, in ms; and before it is asked again where the stand-in is away. */
const WAIT_MS = 10_000;
const AWAY_MS = 1_000;

const Messages = z.array(z.looseObject({ seq: z.int(), operation: z.string(), to: z.string(), otp: z.string() }));

/** The made-up people's phones: who gets an SMS reads it after a while and gives the code. */
export class Phones {
  readonly #options: PhonesOptions;
  readonly #owners = new Map<string, { readonly person: Person; asked: number }>();
  readonly #reading = new Set<Promise<void>>();

  constructor(options: PhonesOptions) {
    this.#options = options;
  }

  /** `operation`: the one that sends to this number. */
  add(operation: string, number: string, person: Person): void {
    this.#owners.set(`${operation} ${number}`, { person, asked: 0 });
  }

  /** Until `signal` aborts. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    for (let after = 0; !signal.aborted;) {
      const messages = await this.#messages(after);
      // Newest first.
      for (const { seq, operation, to, otp } of messages.toReversed()) {
        after = Math.max(after, seq);
        const owner = this.#owners.get(`${operation} ${to}`);
        if (owner === undefined) continue;
        const { person, asked } = owner;
        owner.asked += 1;
        const reading = person.reads(asked);
        if (reading === null) continue;
        const one = this.#read(person, asked, otp, reading);
        this.#reading.add(one);
        void one.finally(() => this.#reading.delete(one));
      }
    }
    await Promise.all(this.#reading);
  }

  async #messages(after: number): Promise<z.output<typeof Messages>> {
    const { simulator, signal } = this.#options;
    const url = new URL("/_simulator/outbox", simulator);
    for (const [name, value] of Object.entries({ after, wait: WAIT_MS, limit: 1_000 })) {
      url.searchParams.set(name, String(value));
    }
    const reply = await fetch(url, { signal }).catch(() => null);
    if (reply !== null) return Messages.parse(await reply.json());
    await sleep(AWAY_MS, undefined, { signal }).catch(() => {});
    return [];
  }

  /** What is refused is said, and nothing more is read out. */
  async #read(person: Person, asked: number, otp: string, { afterMs, mistyped }: Reading): Promise<void> {
    const { client, say, signal } = this.#options;
    await sleep(afterMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const id = await person.onboarding(asked);
    try {
      for (let times = 1; times <= mistyped; times += 1) {
        const wrong = otp.replace(/\d$/, (digit) => String((Number(digit) + times) % 10));
        const { verify } = await client.answer(id, wrong);
        if (verify !== null) await client.waitFor(verify, { timeoutMs: VERIFY_MS, signal });
      }
      if (mistyped < TRIES) await client.answer(id, otp);
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      if (!signal.aborted) say(`${id}: ${error.message}`);
    }
  }
}
