/** An OTP that was sent. It is good once, for what it was sent for, until it expires or three wrong tries kill it. */
export interface IssuedOtp {
  /** The operation that sent it. */
  readonly operation: string;
  /** What a verify names it by: the provider's reference, or mobile and `client_ref_id` together. */
  readonly handle: string;
  /** Aadhaar or mobile number it was sent to. */
  readonly to: string;
  /** `customer_id` of the call, where it has one. */
  readonly mobile: string | null;
  /** AePS: `reference_tid` that belongs to it. */
  readonly referenceTid: string | null;
  readonly otp: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

interface Entry extends IssuedOtp {
  wrongTries: number;
  spent: boolean;
}

/** `spent`: used, killed by wrong tries, or replaced by a newer one for the same person. */
export type Redemption =
  | { readonly kind: "accepted"; readonly issued: IssuedOtp }
  | { readonly kind: "wrong" | "expired" | "spent" | "unknown" };

/** How long after its end an OTP is still known as expired, in ms; then it is unknown. Keeps the book small. */
const REMEMBERED_MS = 600_000;

export class OtpBook {
  readonly #byHandle = new Map<string, Entry>();
  readonly #newest = new Map<string, Entry>();

  /** A new OTP kills the earlier one of the same operation for the same person (facts/eko §8.4: "probably dead"). */
  issue(issued: IssuedOtp, now: number): void {
    this.#forget(now);
    const entry: Entry = { ...issued, wrongTries: 0, spent: false };
    const person = personKey(issued);
    const earlier = this.#newest.get(person);
    if (earlier !== undefined) earlier.spent = true;
    this.#newest.set(person, entry);
    this.#byHandle.set(issued.handle, entry);
  }

  has(handle: string): boolean {
    return this.#byHandle.has(handle);
  }

  /** Looks without using it up. */
  find(operation: string, handle: string): IssuedOtp | undefined {
    const entry = this.#byHandle.get(handle);
    return entry?.operation === operation ? entry : undefined;
  }

  /** Uses the OTP up where it is right, and counts a try where it is wrong. `maxWrong` wrong tries kill it. */
  redeem(operation: string, handle: string, otp: string, now: number, maxWrong: number): Redemption {
    const entry = this.#byHandle.get(handle);
    if (entry === undefined || entry.operation !== operation) return { kind: "unknown" };
    if (entry.spent) return { kind: "spent" };
    if (now >= entry.expiresAt) return { kind: "expired" };
    if (entry.otp !== otp) {
      entry.wrongTries += 1;
      entry.spent = entry.wrongTries >= maxWrong;
      return { kind: "wrong" };
    }
    entry.spent = true;
    return { kind: "accepted", issued: entry };
  }

  clear(): void {
    this.#byHandle.clear();
    this.#newest.clear();
  }

  #forget(now: number): void {
    for (const [handle, entry] of this.#byHandle) {
      if (entry.expiresAt + REMEMBERED_MS > now) return;
      this.#byHandle.delete(handle);
      if (this.#newest.get(personKey(entry)) === entry) this.#newest.delete(personKey(entry));
    }
  }
}

function personKey(issued: IssuedOtp): string {
  return `${issued.operation} ${issued.to}`;
}
