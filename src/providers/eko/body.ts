import type { CallContext } from "../call.ts";
import type { EkoSettings } from "./settings.ts";
import type { AadhaarEncryption } from "./encryption.ts";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { Secret } from "../../secrets/secret.ts";

export interface EkoContext extends CallContext<EkoSettings> {
  /** With the public key of the settings; null: there is none, and only `aadhaar_encrypted` can be sent. */
  readonly encryptAadhaar: AadhaarEncryption | null;
}

interface Caller {
  readonly initiator_id?: string | undefined;
  readonly user_code?: string | undefined;
}

/** The initiator of a call: the input's own, else the settings'. */
export function initiatorFields({ initiator_id }: Caller, { settings }: EkoContext): { initiator_id: string } {
  return { initiator_id: initiator_id ?? settings.initiatorId };
}

export function agentFields(caller: Caller, context: EkoContext): { initiator_id: string; user_code: string } {
  return { ...initiatorFields(caller, context), user_code: caller.user_code ?? context.settings.userCode };
}

/**
 * A field that the document types as integer: a number where that loses nothing, else text. A leading zero or more than
 * 15 digits would be lost (design §2).
 */
export function wireInteger(text: string): number | string {
  return /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

interface AadhaarInput {
  readonly aadhaar?: Secret | undefined;
  readonly aadhaar_encrypted?: Secret | undefined;
}

/**
 * The encrypted Aadhaar number under the name the settings give it (facts/eko §7.1).
 * Throws SatyapanError(BAD_SETTINGS) where it has to be encrypted and there is no public key.
 */
export function encryptedAadhaarField(
  { aadhaar, aadhaar_encrypted }: AadhaarInput,
  { settings, encryptAadhaar }: EkoContext,
): Readonly<Record<string, string>> {
  if (aadhaar_encrypted !== undefined) return { [settings.aepsAadhaarField]: aadhaar_encrypted.open() };
  if (aadhaar === undefined) {
    throw new SatyapanError(ErrorCode.BAD_INPUT, "aadhaar: is missing: give `aadhaar` or `aadhaar_encrypted`");
  }
  if (encryptAadhaar === null) {
    throw new SatyapanError(
      ErrorCode.BAD_SETTINGS,
      "EKO_AADHAAR_PUBLIC_KEY is not set: AePS needs it to encrypt `aadhaar`; set it, or submit `aadhaar_encrypted`",
    );
  }
  return { [settings.aepsAadhaarField]: encryptAadhaar(aadhaar.open()) };
}
