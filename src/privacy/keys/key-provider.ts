/**
 * Wraps data keys under a key that never leaves it: the local key ring, a KMS, an HSM. Asked a few times a day and process,
 * never per job.
 */
export interface KeyProvider {
  /** The key that wraps from now on; null: only the service itself knows. */
  readonly sealingId: string | null;
  /**
   * A text that only `unwrap` of the same key and context makes into `key` again.
   * @throws SatyapanError `keys-unreachable` where the service does not do it
   */
  wrap(key: Uint8Array, context: string): Promise<string>;
  /**
   * @throws SatyapanError `keys-unreachable` where the service does not do it, `unknown-key` where its key is not there,
   * `unreadable` for a text that is not what `wrap` gave for this context
   */
  unwrap(wrapped: string, context: string): Promise<Uint8Array>;
  /**
   * Tells two keys of one id apart, and nothing else of them; null: it does not have the key, or is a service, which answers
   * for its own.
   */
  printOf(keyId: string): string | null;
  /** The id of the key that wrapped this. Throws SatyapanError `unreadable` for what `wrap` never gave. */
  keyIdOf(wrapped: string): string;
}
