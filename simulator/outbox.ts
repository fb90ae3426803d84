/** What a phone received. */
export interface OutboxMessage {
  /** 1, 2, 3 … in the order of sending. */
  readonly seq: number;
  /** ms since the epoch. */
  readonly at: number;
  /** Aadhaar number, or mobile number for a mobile OTP. */
  readonly to: string;
  /** `customer_id` of an Aadhaar OTP: the outbox is searched by it too. */
  readonly mobile: string | null;
  readonly operation: string;
  readonly otp: string;
  /** `otp_ref_id` or `reference_id`; for a mobile OTP its `tid`. */
  readonly reference: string;
  readonly client_ref_id: string | null;
}

interface Waiter {
  readonly to: string | null;
  readonly after: number;
  readonly done: (message: OutboxMessage | undefined) => void;
}

/** Everything that phones received, newest last. Forgets the oldest beyond `limit`. */
export class Outbox {
  readonly messages: OutboxMessage[] = [];
  readonly #limit: number;
  readonly #sentTo = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  #seq = 0;
  #before = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Since the start or the last `clear`. */
  get sent(): number {
    return this.#seq - this.#before;
  }

  post(unnumbered: Omit<OutboxMessage, "seq">): void {
    this.#seq += 1;
    const message = { seq: this.#seq, ...unnumbered };
    this.messages.push(message);
    // In one cut per doubling: taking the first of a long array away each time would cost its whole length.
    if (this.messages.length > this.#limit * 2) this.messages.splice(0, this.messages.length - this.#limit);
    const key = `${message.operation} ${message.to}`;
    this.#sentTo.set(key, (this.#sentTo.get(key) ?? 0) + 1);
    for (const waiter of this.#waiters) if (matches(message, waiter)) waiter.done(message);
  }

  /** Newest first; `to` null finds all. */
  find(to: string | null, after: number, limit: number): OutboxMessage[] {
    const found: OutboxMessage[] = [];
    for (let index = this.messages.length - 1; index >= 0 && found.length < limit; index -= 1) {
      const message = this.messages[index];
      if (message === undefined || message.seq <= after) break;
      if (matches(message, { to, after })) found.push(message);
    }
    return found;
  }

  /** The newest message after `after`, at once or as soon as there is one; undefined when `timeoutMs` is over. */
  async wait(to: string | null, after: number, timeoutMs: number): Promise<OutboxMessage | undefined> {
    const [there] = this.find(to, after, 1);
    if (there !== undefined || timeoutMs <= 0) return there;
    const { promise, resolve } = Promise.withResolvers<OutboxMessage | undefined>();
    const waiter: Waiter = { to, after, done: resolve };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** The persons who were sent more than one OTP by one operation, most first. */
  repeated(): { readonly operation: string; readonly to: string; readonly count: number }[] {
    return [...this.#sentTo]
      .filter(([, count]) => count > 1)
      .map(([key, count]) => {
        const [operation = "", to = ""] = key.split(" ");
        return { operation, to, count };
      })
      .toSorted((a, b) => b.count - a.count);
  }

  /** Ends every wait with nothing. */
  release(): void {
    for (const waiter of this.#waiters) waiter.done(undefined);
  }

  /** Numbers go on, so that an `after` from before stays meaningful. */
  clear(): void {
    this.#before = this.#seq;
    this.messages.length = 0;
    this.#sentTo.clear();
  }
}

function matches(message: OutboxMessage, wanted: Pick<Waiter, "to" | "after">): boolean {
  return message.seq > wanted.after && (wanted.to === null || message.to === wanted.to || message.mobile === wanted.to);
}
