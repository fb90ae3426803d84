import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Client, SatyapanError } from "../../producers/index.ts";

export interface PhonesOptions {
  readonly client: Client;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Where the stand-in for the providers is. */
  readonly simulator: string;
}

/** One of so many never answers, and one mistypes the code at first. */
const SILENT = 20;
const CLUMSY = 10;
/** How long somebody takes to read an SMS, in ms. */
const READING_MS = [2_000, 5_000, 8_000, 14_000];
const VERIFY_MS = 60_000;
/** For the next SMS, in ms; and before it is asked again where the stand-in is away. */
const WAIT_MS = 10_000;
const AWAY_MS = 1_000;

const Messages = z.array(z.looseObject({ seq: z.int(), to: z.string(), otp: z.string() }));

/** The made-up people's phones: who gets an SMS reads it after a while and gives the code. */
export class Phones {
  readonly #options: PhonesOptions;
  /** Numbers with the onboardings for which they are asked. */
  readonly #owners = new Map<string, string>();
  readonly #reading = new Set<Promise<void>>();

  constructor(options: PhonesOptions) {
    this.#options = options;
  }

  /** `id`: of the onboarding that the owner of this number answers. */
  add(mobile: string, id: string): void {
    this.#owners.set(mobile, id);
  }

  /** Until `signal` aborts. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    for (let after = 0; !signal.aborted;) {
      const messages = await this.#messages(after);
      // Newest first.
      for (const { seq, to, otp } of messages.toReversed()) {
        after = Math.max(after, seq);
        const id = this.#owners.get(to);
        if (id === undefined || seq % SILENT === 0) continue;
        const one = this.#read(id, otp, seq);
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

  /** What is refused is said, and nobody is asked twice. */
  async #read(id: string, otp: string, seq: number): Promise<void> {
    const { client, say, signal } = this.#options;
    await sleep(READING_MS[seq % READING_MS.length], undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      if (seq % CLUMSY === 1) {
        const wrong = otp.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
        const { verify } = await client.answer(id, wrong);
        if (verify !== null) await client.waitFor(verify, { timeoutMs: VERIFY_MS, signal });
      }
      await client.answer(id, otp);
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      if (!signal.aborted) say(`${id}: ${error.message}`);
    }
  }
}
