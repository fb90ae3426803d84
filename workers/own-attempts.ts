/** The most attempts that are remembered; one is forgotten when its job comes back, which it does within a lock's time. */
const MOST = 10_000;

/**
 * What this process knows of its own attempts: which jobs are in its hands, and which attempts it opened but never wrote a
 * byte of. Those are known not to have been made, whatever the journal still shows (design §3).
 */
export class OwnAttempts {
  readonly #inHand = new Set<string>();
  readonly #neverWritten = new Set<string>();

  /** False: this process works on that job already (its lock was lost meanwhile). */
  take(id: string): boolean {
    if (this.#inHand.has(id)) return false;
    this.#inHand.add(id);
    return true;
  }

  release(id: string): void {
    this.#inHand.delete(id);
  }

  /**
   * `opener`: of `Journal.openerAt`, which all attempts of one moment share; `id`: the job's; null: of whatever job, of an opener that no
   * two attempts share.
   */
  neverWrote(opener: string, id: string | null): void {
    this.#neverWritten.add(placeOf(opener, id));
    if (this.#neverWritten.size <= MOST) return;
    const [oldest] = this.#neverWritten;
    if (oldest !== undefined) this.#neverWritten.delete(oldest);
  }

  isNeverWritten(opener: string, id: string): boolean {
    return [id, null].some((whose) => this.#neverWritten.has(placeOf(opener, whose)));
  }

  forget(opener: string, id: string): void {
    for (const whose of [id, null]) this.#neverWritten.delete(placeOf(opener, whose));
  }
}

function placeOf(opener: string, id: string | null): string {
  return `${opener} ${id ?? ""}`;
}
