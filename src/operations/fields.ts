import { z } from "zod";
import type { MaskName } from "../secrets/mask.ts";
import { findPersonal } from "../secrets/find-personal.ts";
import { AADHAAR_FORM, LONG_NUMBER, MOBILE_FORM } from "../secrets/number-forms.ts";
import { Secret } from "../secrets/secret.ts";

/**
 * The fields that operations share, under the documents' own names. Two rules hold for all of them: a message says what is
 * expected and never what was given, and what is about a person parses to a `Secret` and says `sealed` in its JSON Schema.
 * A `Secret`'s text parses to the same `Secret` again: that is how a stored input is opened.
 */

export const MISSING = "is missing";

/** The message of a field that is wrong in any way. */
export function says(problem: string): { error: (issue: { input?: unknown }) => string } {
  return { error: (issue) => (issue.input === undefined ? MISSING : problem) };
}

function text(form: RegExp, problem: string): z.ZodString {
  return z.string(says(`${problem}, as text in quotes`)).regex(form, says(problem));
}

type SealedField = z.ZodPipe<z.ZodType<string, string>, z.ZodTransform<Secret, string>>;

function sealed(form: z.ZodType<string, string>, description: string, maskName: MaskName = "hidden"): SealedField {
  return form.transform((value) => new Secret(value, maskName)).meta({ sealed: true, description });
}

const NO_NUMBERS = "must not hold a mobile or Aadhaar number: it is kept in clear";

/** No control characters, not only blanks. Linear in the text's length. */
const PRINTABLE = /^(?=\P{Cc}*\S)\P{Cc}+$/u;

/** Eko's own form of a mobile number: no country code (facts/eko §6). */
const mobileText = text(MOBILE_FORM, "must be a mobile number: 10 digits, the first 6 to 9, no country code");

export const mobile = sealed(mobileText, "10-digit mobile number", "mobile");

export const customerId = sealed(mobileText, "Mobile number of the customer: 10 digits", "mobile");

/** Form only; its checksum is looked at where inputs come in (`entry-rules.ts`), where a setting can switch that off. */
export const aadhaar = sealed(
  text(AADHAAR_FORM, "must be an Aadhaar number: 12 digits without spaces, the first 2 to 9"),
  "12-digit Aadhaar number",
  "aadhaar",
);

/** At least 1024 bits of RSA: 172 characters (facts/eko §5). */
export const aadhaarEncrypted = sealed(
  text(
    /^(?:[A-Za-z0-9+/]{4}){25,512}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    "must be an encrypted value in base64",
  ),
  "Aadhaar number encrypted with the provider's public key (RSA PKCS#1 v1.5), in base64",
);

/** Text only: as a JSON number, `012345` is no JSON at all and `12345` no longer tells whether it was that. */
export const otp = sealed(
  z
    .string(says("must be text in quotes: as a number it would lose leading zeros"))
    .regex(/^\d{4,8}$/, says("must be 4 to 8 digits")),
  "The OTP as text: 4 to 8 digits, leading zeros kept",
);

/**
 * The OTP of an Aadhaar number has six digits, always: with fewer or more the call would only use up one of the person's
 * tries.
 */
export const aadhaarOtp = sealed(
  z
    .string(says("must be text in quotes: as a number it would lose leading zeros"))
    .regex(
      /^\d{6}$/,
      says("must be exactly 6 digits (a spreadsheet eats leading zeros: format the column as text and export again)"),
    ),
  "The OTP as text: 6 digits, leading zeros kept",
);

/** Opaque: numbers, UUIDs, long base64, even `mobile~mobile~Channel4~id~id` (facts/eko §6), and so sealed. At most 1024. */
function reference(description: string): SealedField {
  return sealed(
    z
      .string(says("must be text in quotes: as a number it could lose digits"))
      .max(1024, says("must have at most 1024 characters"))
      .regex(PRINTABLE, says("must not be blank or hold control characters")),
    description,
  );
}

export const otpRefId = reference("`otp_ref_id` of the call before, as the provider gave it");
export const referenceTid = reference("`reference_tid` of the call before, as the provider gave it");
export const referenceId = reference("`reference_id` of the call before, as the provider gave it");

/** `latitude,longitude` in degrees without a space (facts/eko §6); where somebody is, so sealed. */
export const latlong = sealed(
  z
    .string(says('must be "latitude,longitude" as text'))
    .regex(
      /^-?\d{1,3}(\.\d+)?,-?\d{1,3}(\.\d+)?$/,
      says('must be "latitude,longitude" in degrees without spaces, such as 28.6139,77.2090'),
    )
    .max(64, says("must have at most 64 characters"))
    .refine(isOnEarth, says("must have a latitude within ±90 and a longitude within ±180")),
  "GPS position `latitude,longitude` in degrees, such as 28.6139,77.2090",
);

function isOnEarth(position: string): boolean {
  const [latitude, longitude] = position.split(",").map(Number);
  return Math.abs(latitude ?? NaN) <= 90 && Math.abs(longitude ?? NaN) <= 180;
}

/** 8 to 11 characters (facts/eko §6). Of an agent, not of a person the call is about; held by itself on a 346. */
const userCode = text(/^[A-Za-z0-9]{8,11}$/, "must be 8 to 11 letters and digits").meta({
  description: "Code of the agent the call is made for. Default: EKO_USER_CODE",
});

/** The API user's own registered number; held by itself on a 319. */
const initiatorId = text(/^[A-Za-z0-9_-]{4,32}$/, "must be 4 to 32 letters and digits").meta({
  description: "Registered number of the API user. Default: EKO_INITIATOR_ID",
});

/** The fields that name the caller, in every Eko input but the mobile OTP's, which takes no `user_code`. */
export const agent = { initiator_id: initiatorId.optional(), user_code: userCode.optional() };
export const initiator = { initiator_id: agent.initiator_id };

export const cspId = sealed(
  text(/^[A-Za-z0-9_-]{1,32}$/, "must be 1 to 32 letters and digits"),
  "Customer Service Point id of the agent the OTP is sent for; it may be a mobile number",
);

/** A `client_ref_id` of ours, or the producer's where it sent the OTP itself. */
export const clientRefId = text(/^[A-Za-z0-9_-]{1,20}$/, "must be 1 to 20 letters, digits, `-` or `_`").meta({
  description: "`client_ref_id` of the call that sent the OTP",
});

export const intentId = z
  .enum(["19", "20"], says('must be "19" (sender onboarding) or "20" (Aadhaar validation)'))
  .default("20")
  .meta({ description: "19 = sender onboarding, 20 = Aadhaar validation" });

/** A flag, and kept in clear: a column in the wrong place must not put a number of a person there. */
export const additionalInfo = text(/^[A-Za-z0-9]{1,16}$/, "must be 1 to 16 letters and digits")
  .refine((flags) => !LONG_NUMBER.test(flags), says(NO_NUMBERS))
  .default("1")
  .meta({ description: "Additional info flag" });

export const name = sealed(
  z
    .string(says("must be text"))
    .max(100, says("must have at most 100 characters"))
    .regex(PRINTABLE, says("must not be blank or hold control characters")),
  "Name as on the identity document",
);

export const dob = sealed(z.iso.date(says("must be a date as YYYY-MM-DD")), "Date of birth, YYYY-MM-DD");

/** A JSON boolean, or its word: a CSV cell is text. */
const flag = z
  .union([z.boolean(), z.enum(["true", "false"])], says("must be true or false"))
  .transform((value) => value === true || value === "true");

/** What may be asked for beside Deepvue's eKYC data. */
export const ekycWishes = {
  mobile_number: mobile
    .optional()
    .meta({ description: "Asks whether this is the mobile number linked to the Aadhaar number" }),
  generate_pdf: flag.optional().meta({ description: "Adds the eKYC document as a PDF to the personal data" }),
};

/** Free text that is stored as it is, and so must not carry a number of a person. */
function plainWords(maximum: number): z.ZodString {
  return z
    .string(says("must be text"))
    .max(maximum, says(`must have at most ${maximum} characters`))
    .regex(PRINTABLE, says("must not be blank or hold control characters"))
    .refine((words) => !LONG_NUMBER.test(words), says(NO_NUMBERS))
    .refine((words) => findPersonal(words) === null, says("must not hold anything personal: it is kept in clear"));
}

/** Deepvue documents neither values nor a length (facts/deepvue §2.1). */
export const purpose = plainWords(200).meta({
  description: "Why the person is verified, for example ForKYC; kept in clear, so nothing personal",
});

/** The caller's proof of consent; recorded before the call (facts/deepvue §2.6). */
export const consent = z
  .strictObject(
    {
      reference: z
        .string(says("must be text"))
        .max(200, says("must have at most 200 characters"))
        .regex(PRINTABLE, says("must not be blank or hold control characters"))
        .refine((words) => findPersonal(words) === null, says("must not hold anything personal: it is kept in clear"))
        .meta({ description: "Where the caller keeps the proof of consent; kept in clear" }),
      method: plainWords(64).meta({ description: "How consent was given, for example checkbox, signature, ivr" }),
      obtained_at: z.iso
        .datetime({
          offset: true,
          ...says("must be an ISO date-time with an offset, such as 2026-01-31T10:00:00+05:30"),
        })
        .meta({ description: "When consent was given; not in the future" }),
      language: z
        .string(says("must be text"))
        .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, says("must be a language tag such as hi or en-IN"))
        .optional()
        .meta({ description: "Language in which consent was asked for, for example hi" }),
    },
    says("must be an object with reference, method and obtained_at"),
  )
  .meta({ description: "Consent of the person, obtained before the call" });

/** Consent that the provider does not ask for, but CONSENT_REQUIRED=all does. */
export const optionalConsent = consent.optional().meta({
  description: "Consent of the person, obtained before the call; required with CONSENT_REQUIRED=all",
});
