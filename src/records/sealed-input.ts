import { ErrorCode, SatyapanError } from "../error.ts";
import type { OpenInput, Operation } from "../operations/operation.ts";
import type { Personal } from "../outcomes/outcome.ts";
import type { KeyRing } from "../privacy/key-ring.ts";
import { openFields, seal, sealFields, unseal } from "../privacy/seal.ts";

const PERSONAL = "personal";

/** The JSON that a record keeps of an input: plain fields as they are, secret ones sealed one by one. */
export function sealInput(ring: KeyRing, operation: Operation, jobId: string, input: OpenInput): string {
  return JSON.stringify(sealFields(ring, input, { operation: operation.name, jobId }));
}

/**
 * The input again, with its secrets as `Secret`. Throws SatyapanError: `unknown-key` where this process lacks the key it
 * was sealed with, `unreadable` where it was altered or is not of this job.
 */
export function openInput(ring: KeyRing, operation: Operation, jobId: string, text: string): OpenInput {
  const stored = JSON.parse(text) as ReturnType<typeof sealFields>;
  const parsed = operation.input.safeParse(openFields(ring, stored, { operation: operation.name, jobId }));
  if (parsed.success) return parsed.data;
  throw new SatyapanError(ErrorCode.UNREADABLE, `the stored input does not fit ${operation.name} of this version`);
}

export function sealPersonal(ring: KeyRing, operation: Operation, jobId: string, personal: Personal): string {
  return seal(ring, JSON.stringify(personal), { operation: operation.name, jobId, field: PERSONAL });
}

export function openPersonal(ring: KeyRing, operation: Operation, jobId: string, sealed: string): Personal {
  return JSON.parse(unseal(ring, sealed, { operation: operation.name, jobId, field: PERSONAL })) as Personal;
}
