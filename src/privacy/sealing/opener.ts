import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { DataKey } from "./data-key.ts";
import {
  dataKeyIdOf,
  dataKeyIdOfBytes,
  firstDataKeyIdIn,
  openSealed,
  openSealedBytes,
  type SealedFor,
  unreadable,
} from "./sealed-text.ts";

/** Why a data key cannot be had, though everything that was asked has answered. */
export type KeyFailure =
  /** It is not there (any more). */
  | { readonly kind: "shredded" }
  /** Its wrapping key is not among this process's. */
  | { readonly kind: "unknown-key"; readonly message: string }
  /** It is stored, and is not what was stored. */
  | { readonly kind: "unreadable" };

/** Opens what was sealed under the data keys it was made for (`DataKeys.opener`). Synchronous: the keys are at hand. */
export class Opener {
  readonly #found: ReadonlyMap<string, DataKey | KeyFailure>;

  constructor(found: ReadonlyMap<string, DataKey | KeyFailure>) {
    this.#found = found;
  }

  /**
   * @throws SatyapanError `unreadable` for an altered or truncated text, or one sealed for something else, all in the same
   * words; `shredded` where its data key was destroyed; `unknown-key` where its wrapping key is not among this process's
   */
  open(text: string, associated: SealedFor): string {
    return openSealed(this.#keyOf(dataKeyIdOf(text), associated), text, associated);
  }

  /** The same for sealed bytes. */
  openBytes(sealed: Uint8Array, associated: SealedFor): Buffer {
    return openSealedBytes(this.#keyOf(dataKeyIdOfBytes(sealed), associated), sealed, associated);
  }

  #keyOf(id: string | null, associated: SealedFor): DataKey {
    if (id === null) throw unreadable(associated);
    const found = this.#found.get(id);
    if (found === undefined) throw new TypeError("this opener was not made for that text");
    if ("key" in found) return found;
    throw failure(found, id, associated);
  }

  /** The scope under which a text (or the first sealed one in it) was sealed; null where its key cannot be had. */
  scopeOf(text: string): DataKey["scope"] | null {
    const found = this.#found.get(firstDataKeyIdIn(text) ?? "");
    return found !== undefined && "key" in found ? found.scope : null;
  }
}

function failure(why: KeyFailure, id: string, associated: SealedFor): SatyapanError {
  const { operation, jobId, field } = associated;
  const what = `the sealed ${field} of job ${jobId} (${operation})`;
  switch (why.kind) {
    case "shredded":
      return new SatyapanError(
        ErrorCode.SHREDDED,
        `${what} cannot be opened by anybody any more: its data key ${id} was destroyed (satyapan shred)`,
      );
    case "unknown-key":
      return new SatyapanError(ErrorCode.UNKNOWN_KEY, `${what} does not open: ${why.message}`);
    case "unreadable":
      return unreadable(associated);
  }
}
