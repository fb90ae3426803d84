import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { InputOwner } from "../operations/operation.ts";
import type { OpenInput } from "../providers/call.ts";
import type { Personal } from "../outcomes/outcome.ts";
import type { Opener } from "../privacy/sealing/opener.ts";
import { openFields, type SealedFields, sealFields } from "../privacy/sealing/sealed-fields.ts";
import type { Sealer } from "../privacy/sealing/sealed-text.ts";
import { parseJson } from "../base/json.ts";

/** What the sealed personal data of a result is bound to, besides its job. */
export const PERSONAL = "personal";

/** The JSON that a record keeps of an input: plain fields as they are, secret ones sealed. */
export function sealInput(
  sealer: Sealer,
  operation: Pick<InputOwner, "name" | "input">,
  jobId: string,
  input: OpenInput,
): string {
  const job = { operation: operation.name, jobId };
  return JSON.stringify(sealFields(sealer, input, job));
}

/**
 * The input again, with its secrets as `Secret`. Throws SatyapanError: `shredded` and `unknown-key` where its key cannot be
 * had, `unreadable` where it was altered or is not of this job.
 */
export function openInput(
  opener: Opener,
  operation: Pick<InputOwner, "name" | "input">,
  jobId: string,
  text: string,
): OpenInput {
  const job = { operation: operation.name, jobId };
  const stored = parseStored(text, operation.name);
  const fields = openFields(opener, stored, job);
  const parsed = operation.input.safeParse(fields);
  if (parsed.success) return parsed.data;
  throw new SatyapanError(ErrorCode.UNREADABLE, `the stored input does not fit ${operation.name} of this version`);
}

export function sealPersonal(
  sealer: Sealer,
  operation: Pick<InputOwner, "name" | "input">,
  jobId: string,
  personal: Personal,
): string {
  const associated = { operation: operation.name, jobId, field: PERSONAL };
  const clear = JSON.stringify(personal);
  return sealer.seal(clear, associated);
}

/** Throws SatyapanError as `openInput`. */
export function openPersonal(
  opener: Opener,
  operation: Pick<InputOwner, "name" | "input">,
  jobId: string,
  sealed: string,
): Personal {
  const associated = { operation: operation.name, jobId, field: PERSONAL };
  const personal = parseJson(opener.open(sealed, associated)) as Personal | null | undefined;
  if (isObject(personal ?? undefined) && !Array.isArray(personal)) return personal as Personal;
  throw new SatyapanError(
    ErrorCode.UNREADABLE,
    `the personal part of the result of job ${jobId} was opened, and is not what was sealed: another version wrote it`,
  );
}

/** Throws SatyapanError `unreadable` for what `sealInput` did not write. */
export function parseStored(text: string, operation: string): SealedFields {
  const stored = parseJson(text) as Partial<SealedFields> | null | undefined;
  const { plain, sealed } = stored ?? {};
  if (isObject(plain) && isSealed(sealed)) return { plain, sealed };
  throw new SatyapanError(ErrorCode.UNREADABLE, `the stored input of ${operation} was altered or cut off`);
}

function isSealed(sealed: SealedFields["sealed"] | undefined): sealed is SealedFields["sealed"] {
  if (typeof sealed === "string") return true;
  return isObject(sealed) && Object.values(sealed).every((value) => typeof value === "string");
}

function isObject<T>(value: T | undefined): value is T & object {
  return typeof value === "object" && value !== null;
}
