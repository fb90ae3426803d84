import type { QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import { batchKey, decisionsKey } from "./keys.ts";
import { SEAT_KEEP, SEAT_NEXT } from "./scripts/scripts.ts";

/** How long an operator has a sender of whom nothing is heard any more, in ms: then another is handed it. */
export const SEAT_MS = 30_000;

/** What an operator's talk with a sender came to: a code and what the provider said of it, or a word about the person. */
export const DECISIONS = [
  ...(["code_right", "code_wrong", "code_over"] as const),
  ...(["later", "wrong_number", "refused"] as const),
] as const;
export type Decision = (typeof DECISIONS)[number];

/** One decision of a talk: said again, because the answer was lost, it is the same. */
export interface Decided {
  readonly decision: Decision;
  /** The job that told whether the code was right; null: there was none. */
  readonly verify: string | null;
}

interface BatchOfSeats {
  readonly queue: QueueName;
  readonly id: string;
}

/** Who talks to whom: each sender of a batch whose code is awaited is one operator's at a time, by a token that only that one has. */
export class SeatStore {
  readonly #redis: RedisClient;
  readonly #seatMs: number;

  constructor(redis: RedisClient, seatMs = SEAT_MS) {
    this.#redis = redis;
    this.#seatMs = seatMs;
  }

  /** The row of the sender to talk to, which is this token's from now on; null: nobody waits whom no other has. */
  async next({ queue, id }: BatchOfSeats, token: string, now: number): Promise<number | null> {
    const args = { token, now, till: now + this.#seatMs };
    const at = (await SEAT_NEXT.run(this.#redis, [batchKey(queue, id)], args)) as string;
    return at === "" ? null : Number(at);
  }

  /** Whether it is still this token's; then it is for as long again. `decided`: to be counted, once. */
  async keep(
    batch: BatchOfSeats,
    row: number,
    token: string,
    now: number,
    decided: Decided | null = null,
  ): Promise<boolean> {
    return await this.#change(batch, row, token, { till: now + this.#seatMs, keeper: token, decided });
  }

  /** Gives it back: nobody is handed it before `from`, ms. False: it was another's by then, and nothing is counted. */
  async giveBack(
    batch: BatchOfSeats,
    row: number,
    token: string,
    from: number,
    decided: Decided | null = null,
  ): Promise<boolean> {
    return await this.#change(batch, row, token, { till: from, keeper: "", decided });
  }

  async #change(
    { queue, id }: BatchOfSeats,
    row: number,
    token: string,
    { decided, ...to }: { readonly till: number; readonly keeper: string; readonly decided: Decided | null },
  ): Promise<boolean> {
    const keys = [batchKey(queue, id), decisionsKey(queue)];
    const args = { at: row, token, ...to, decision: decided?.decision ?? "" };
    const step = decided === null ? "" : `${token}:${decided.decision}:${decided.verify ?? ""}`;
    return (await SEAT_KEEP.run(this.#redis, keys, args, [], step)) === "done";
  }
}
