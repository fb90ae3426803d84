/** `sub_code`s seen in Deepvue's documents; there is no full list (facts/deepvue §4). */
export const DEEPVUE_SUB_CODES: ReadonlySet<string> = new Set([
  "SUCCESS",
  "INVALID_INPUT",
  "AADHAAR_MOBILE_NOT_LINKED",
  "VERIFICATION_PENDING",
  "SOURCE_FAILURE",
]);

/** What a `(status, sub_code)` says of the person: one `sub_code` occurs under two statuses (facts/deepvue §2.1). */
export const DEEPVUE_REJECTIONS: ReadonlyMap<string, string> = new Map([
  ["400 INVALID_INPUT", "the Aadhaar number, the OTP or the reference is not valid"],
  ["422 INVALID_INPUT", "the Aadhaar number has a wrong pattern"],
  ["400 AADHAAR_MOBILE_NOT_LINKED", "no mobile number is linked to the Aadhaar number"],
]);

/** Texts of the upstream's table of `verify-otp` (facts/deepvue §2.2, §2.3): an INVALID_INPUT says too little by itself. */
export const DEEPVUE_DETAILS: ReadonlyMap<string, string> = new Map([
  ["Invalid UID. Please enter valid UID", "the Aadhaar number does not exist"],
  ["Invalid Aadhaar Card", "the Aadhaar number does not exist"],
  ["Aadhaar not linked to mobile number", "no mobile number is linked to the Aadhaar number"],
  ["Otp expired", "OTP expired"],
  ["Session expired, please generate a new OTP", "OTP expired"],
  ["OTP entered is invalid", "wrong OTP"],
  ["Please enter a valid otp.", "wrong OTP"],
  ["Please enter a valid ref_id", "the reference is not valid"],
]);

/** Every documented text, word for word: only such a text is kept of a reply (facts/deepvue §1, §2). */
export const DEEPVUE_TEXTS: ReadonlySet<string> = new Set([
  ...DEEPVUE_DETAILS.keys(),
  "Aadhaar eKYC Successful",
  "Aadhaar number does not have mobile number",
  "Authorised source is temporarily unavailable, please try again shortly.",
  "Authorization failure",
  "Could not validate credentials",
  "Inactive client_id",
  "Incorrect client_id or client_secret",
  "Insufficient balance to process this request",
  "Internal Server Error",
  "Invalid Aadhaar Number Pattern.",
  "Invalid client_id",
  "Invalid client_id or client_secret, access Denied",
  "Method Not Allowed",
  "Not Found",
  "Not a valid token",
  "Not authenticated",
  "OTP sent to your Registered Mobile number. Check your mobile.",
  "Otp already generated for this aadhaar, please try after some time.",
  "Rate limit exceeded. Please retry after some time.",
  "Source Unavailable",
  "Unable to validate, please retry later",
  "Validation Error",
]);

/** `detail`s about us that may come with a 400 as well: there is no code beside them (facts/deepvue §1). */
export const DEEPVUE_CREDENTIAL_DETAILS: ReadonlySet<string> = new Set([
  "Authorization failure",
  "Could not validate credentials",
  "Inactive client_id",
  "Incorrect client_id or client_secret",
  "Invalid client_id",
  "Invalid client_id or client_secret, access Denied",
  "Not a valid token",
  "Not authenticated",
]);

/** No balance error is documented; this is how peers word it (facts/deepvue §4). */
export const NO_BALANCE = /insufficient[ _](?:wallet[ _])?balance/i;

/** Our meaning of a status, where the text is not a documented one. */
export const DEEPVUE_MEANINGS: ReadonlyMap<number, string> = new Map([
  [401, "the credential was not accepted"],
  [402, "the balance is insufficient"],
  [403, "the credential was not accepted"],
  [409, "an OTP was generated for this Aadhaar number a moment ago"],
  [429, "the rate limit is exceeded"],
  [503, "the source is not available"],
]);

/**
 * The words of such codes. A code that is not documented is kept only if it is made of these, so that the table can be
 * completed from what comes; a provider's free text could be somebody's name.
 */
const WORDS: ReadonlySet<string> = new Set(
  (
    "AADHAAR ACCESS ACCOUNT ALREADY ATTEMPTS BAD BALANCE BLOCKED CANCELLED CLIENT CODE CONFLICT CONSENT CREDENTIALS CREDIT " +
    "DAILY DEACTIVATED DENIED DISABLED DOWN ERROR EXCEEDED EXHAUSTED EXPIRED EXPIRY FAILED FAILURE FORBIDDEN FORMAT FOUND " +
    "GENERATED GENERATION ID IN INACTIVE INCORRECT INPUT INSUFFICIENT INTERNAL INVALID LIMIT LINKED LOCKED MAX MAXIMUM " +
    "MISMATCH MISSING MOBILE NO NOT NUMBER OR OTP OUT PARAMETER PATTERN PENDING PROCESSED PROCESSING PROGRESS PURPOSE RATE " +
    "REACHED REFERENCE REQUEST REQUIRED RETRY SENT SERVER SERVICE SESSION SOURCE SUCCESS SUSPENDED TECHNICAL TEMPORARILY " +
    "TIMEOUT TOO MANY UID UNAUTHORIZED UNAVAILABLE UNKNOWN UPSTREAM VALID VALIDATION VERIFICATION VERIFIED VERIFY WALLET WRONG"
  ).split(" "),
);

/** A `sub_code` as it may be kept: itself, or `other` where it could be anything. */
export function keptSubCode(subCode: string): string {
  if (DEEPVUE_SUB_CODES.has(subCode)) return subCode;
  const isCode = subCode.length <= 64 && subCode.split("_").every((word) => WORDS.has(word));
  return isCode ? subCode : "other";
}
