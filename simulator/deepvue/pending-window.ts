/** When each Aadhaar last got an OTP from Deepvue: the source of its 409 (facts/deepvue §2.4). */
export class PendingWindow {
  readonly #sentAt = new Map<string, number>();

  isPending(aadhaar: string, now: number, windowMs: number): boolean {
    const sentAt = this.#sentAt.get(aadhaar);
    return sentAt !== undefined && now - sentAt < windowMs;
  }

  open(aadhaar: string, now: number, windowMs: number): void {
    // Oldest first: each send sweeps out the windows that have closed.
    for (const [person, sentAt] of this.#sentAt) {
      if (now - sentAt < windowMs) break;
      this.#sentAt.delete(person);
    }
    this.#sentAt.delete(aadhaar);
    this.#sentAt.set(aadhaar, now);
  }

  clear(): void {
    this.#sentAt.clear();
  }
}
