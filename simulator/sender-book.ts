import type { Draw } from "./draw.ts";

/** Where a sender stands on the DMT-Levin rail (facts/eko §4.1). */
export type SenderState = "not-enrolled" | "aadhaar-pending" | "enrolled";

/** What Eko remembers of senders between calls. A number never seen before waits for its Aadhaar; endings 308, 309 differ. */
export class SenderBook {
  readonly #states = new Map<string, SenderState>();
  readonly #references = new Map<string, string>();

  state(mobile: string, endings: boolean): SenderState {
    const known = this.#states.get(mobile);
    if (known !== undefined) return known;
    if (endings && mobile.endsWith("308")) return "not-enrolled";
    return endings && mobile.endsWith("309") ? "enrolled" : "aadhaar-pending";
  }

  set(mobile: string, state: SenderState): void {
    this.#states.set(mobile, state);
  }

  /** A fresh `otp_ref_id` for the sender's next step; the earlier one is void. */
  newReference(mobile: string, draw: Draw): string {
    // Digits in base64, as the published ones are.
    const reference = Buffer.from(draw.digits(24)).toString("base64");
    this.#references.set(mobile, reference);
    return reference;
  }

  isReference(mobile: string, reference: string): boolean {
    return this.#references.get(mobile) === reference;
  }

  clear(): void {
    this.#states.clear();
    this.#references.clear();
  }
}
