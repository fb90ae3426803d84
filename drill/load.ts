import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../producers/index.ts";
import { madeUpAadhaar, madeUpMobile } from "../simulator/people.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import type { Simulator } from "../simulator/simulator.ts";

export interface LoadOptions {
  /** Sends of Eko, and of Deepvue, per second. Default 3 and 0.5. */
  readonly eko?: number;
  readonly deepvue?: number;
  /** The share of Eko's codes that are typed wrong; null (default): none is given at all. */
  readonly wrong?: number | null;
}

/** People, all made up, who ask for codes and give them, until it is disposed of. */
export class Load implements AsyncDisposable {
  readonly #client: Client;
  readonly #simulator: Simulator;
  readonly #stop = new AbortController();
  readonly #under: Promise<unknown>[] = [];
  /** Ids of the sends, oldest first. */
  readonly accepted: Record<ProviderName, string[]> = { eko: [], deepvue: [] };
  #person = 0;

  constructor(client: Client, simulator: Simulator, { eko = 3, deepvue = 0.5, wrong = null }: LoadOptions) {
    this.#client = client;
    this.#simulator = simulator;
    this.#under.push(
      this.#every(eko, async (nth) => await this.#eko(nth, wrong)),
      this.#every(deepvue, async (nth) => await this.#deepvue(nth)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#under);
  }

  async #every(rate: number, ask: (nth: number) => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // While Redis is away nothing can be submitted.
      this.#under.push(ask((this.#person += 1)).catch(() => {}));
      await sleep(1_000 / rate, undefined, { signal }).catch(() => {});
    }
  }

  async #eko(nth: number, wrong: number | null): Promise<void> {
    const mobile = madeUpMobile(nth);
    const { id } = await this.#client.submit("eko.mobile-otp", { mobile, csp_id: "agent1" });
    this.accepted.eko.push(id);
    if (wrong === null) return;
    const { otp } = await this.#simulator.waitForOtp(mobile, { timeoutMs: 10_000 });
    await this.#client.waitFor(id, { timeoutMs: 10_000 });
    const typed = nth % 100 < wrong * 100 ? otp.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)) : otp;
    await this.#client.submit("eko.mobile-otp.verify", { of: id, otp: typed });
  }

  async #deepvue(nth: number): Promise<void> {
    const consent = { reference: `D-${nth}`, method: "signed form", obtained_at: new Date().toISOString() };
    const input = { aadhaar: madeUpAadhaar(nth), purpose: "Drill of an incident", consent };
    const { id } = await this.#client.submit("deepvue.aadhaar-otp", input);
    this.accepted.deepvue.push(id);
  }
}
