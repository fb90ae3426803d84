import { type ValuesOf, withDefault, withoutDefault } from "../../base/setting.ts";
import { baseUrlSchema, choiceSchema, idSchema } from "../../base/text-schemas.ts";
import type { Secret } from "../../secrets/secret.ts";
import { secretSchema } from "../../secrets/secret-schema.ts";
import { rsaPublicKeySchema } from "./public-key.ts";

export interface EkoSettings {
  /** Scheme, host, and base path, for example `https://staging.eko.in/ekoapi/v3`; no trailing slash, except that of a bare host. */
  readonly baseUrl: URL;
  readonly developerKey: Secret;
  readonly accessKey: Secret;
  readonly initiatorId: string;
  readonly userCode: string;
  /** RSA, base64 SPKI (DER) in one line, whichever form was given; null: AePS operations need `aadhaar_encrypted`. */
  readonly aadhaarPublicKey: string | null;
  /** Name of the AePS body field: `aadhaar` in the seed, `aadhar` in the provider's current specification (facts/eko §7.1). */
  readonly aepsAadhaarField: "aadhaar" | "aadhar";
}

export const EKO_SETTINGS = {
  EKO_BASE_URL: withDefault(baseUrlSchema, "https://api.eko.in/ekoicici/v3", {
    meaning: "Where Eko is. Its sandbox: `https://staging.eko.in/ekoapi/v3`.",
  }),
  EKO_DEVELOPER_KEY: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Header `developer_key`. Eko is served when this and the next three are set.",
  }),
  EKO_ACCESS_KEY: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Signs every Eko call; given as Eko gives it, not base64 of it.",
  }),
  EKO_INITIATOR_ID: withoutDefault(idSchema, {
    meaning: "`initiator_id` of every Eko call that does not bring its own.",
  }),
  EKO_USER_CODE: withoutDefault(idSchema, {
    meaning: "`user_code` of every Eko call that does not bring its own.",
  }),
  EKO_AADHAAR_PUBLIC_KEY: withoutDefault(rsaPublicKeySchema, {
    file: true,
    meaning: "Encrypts the Aadhaar number of AePS calls. Unset: those take only `aadhaar_encrypted`.",
  }),
  EKO_AEPS_AADHAAR_FIELD: withDefault(choiceSchema("aadhaar", "aadhar"), "aadhaar", {
    meaning: "Name of that number's field in AePS bodies: older and newer documents of Eko differ.",
  }),
};

/** Eko is served when all of these are set, and not when none is; some of them is a mistake. */
export const EKO_CREDENTIAL = [
  "EKO_DEVELOPER_KEY",
  "EKO_ACCESS_KEY",
  "EKO_INITIATOR_ID",
  "EKO_USER_CODE",
] as const satisfies readonly (keyof typeof EKO_SETTINGS)[];

/** Null: this process has no credential and cannot serve it. */
export function ekoSettings(values: ValuesOf<typeof EKO_SETTINGS>): EkoSettings | null {
  const { EKO_DEVELOPER_KEY: developerKey, EKO_ACCESS_KEY: accessKey } = values;
  const { EKO_INITIATOR_ID: initiatorId, EKO_USER_CODE: userCode } = values;
  if (developerKey === undefined || accessKey === undefined) return null;
  if (initiatorId === undefined || userCode === undefined) return null;
  return {
    baseUrl: values.EKO_BASE_URL,
    developerKey,
    accessKey,
    initiatorId,
    userCode,
    aadhaarPublicKey: values.EKO_AADHAAR_PUBLIC_KEY ?? null,
    aepsAadhaarField: values.EKO_AEPS_AADHAAR_FIELD,
  };
}
