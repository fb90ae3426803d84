import type { Opener } from "../privacy/sealing/opener.ts";
import { WHOLE } from "../privacy/sealing/sealed-fields.ts";
import type { SealedFor, Sealer } from "../privacy/sealing/sealed-text.ts";
import { parseStored, PERSONAL } from "./sealed-input.ts";

/** The fields of a record in which sealed texts stand. */
export const SEALED_FIELDS = ["input", "personal"] as const;
export type SealedField = (typeof SEALED_FIELDS)[number];

export interface ResealOptions {
  readonly opener: Opener;
  /** With what a sealed text is replaced; null: it stays. */
  readonly sealerFor: (text: string) => Sealer | null;
}

/**
 * What stands in a field of a record, sealed anew for the same operation, job and field; what it says is not looked at.
 * @throws SatyapanError as `Opener.open`
 */
export function resealed(
  field: SealedField,
  text: string,
  job: Omit<SealedFor, "field">,
  { opener, sealerFor }: ResealOptions,
): string {
  const again = (old: string, associated: SealedFor): string =>
    sealerFor(old)?.seal(opener.open(old, associated), associated) ?? old;
  if (field === "personal") return again(text, { ...job, field: PERSONAL });
  const { plain, sealed } = parseStored(text, job.operation);
  if (typeof sealed === "string") return JSON.stringify({ plain, sealed: again(sealed, { ...job, field: WHOLE }) });
  const fields = Object.entries(sealed).map(([name, old]): [string, string] => [
    name,
    again(old, { ...job, field: name }),
  ]);
  return JSON.stringify({ plain, sealed: Object.fromEntries(fields) });
}
