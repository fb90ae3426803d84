import type { RefusedScope } from "../../outcomes/outcome.ts";

/** Business codes (`status`, some of them also as `response_status_id` or `response_type_id`): facts/eko §3.3, §3.4. */
export const EKO_MEANINGS: ReadonlyMap<number, string> = new Map([
  [-1, "a field is missing or cannot be read"],
  [17, "the wallet exists already"],
  [31, "the agent cannot be registered"],
  [36, "the monthly limit is exhausted"],
  [39, "too many recipients"],
  [41, "the IFSC is wrong"],
  [44, "the IFSC is incomplete"],
  [45, "the IFSC has a bad format"],
  [46, "the account details are invalid"],
  [48, "the recipient's bank was not found"],
  [53, "the channel is not allowed"],
  [55, "the transaction was declined by NPCI"],
  [97, "a field is missing or cannot be read"],
  [102, "the account number has a wrong length"],
  [107, "the client_ref_id has a wrong length"],
  [122, "a name or mobile number has a bad format"],
  [131, "a name or mobile number has a bad format"],
  [132, "a name or mobile number has a bad format"],
  [136, "the IFSC is not for this bank"],
  [140, "a name or mobile number has a bad format"],
  [145, "a name or mobile number has a bad format"],
  [168, "the transaction does not exist"],
  [208, "the bill amount does not match"],
  [301, "the Aadhaar number is invalid"],
  [302, "wrong OTP"],
  [303, "OTP expired"],
  [308, "the customer is not enrolled"],
  [313, "the recipient is not registered"],
  [314, "the monthly limit is exceeded"],
  [317, "the channel is not allowed"],
  [319, "the initiator does not exist"],
  [327, "the customer is enrolled, but not verified"],
  [342, "the recipient is registered already"],
  [344, "the channel is not allowed"],
  [346, "the service is not active for the user_code"],
  [347, "the balance is insufficient"],
  [350, "the recipient's name was not found"],
  [460, "the channel is invalid"],
  [461, "wrong or expired OTP, or an earlier step is missing"],
  [463, "the customer was not found"],
  [508, "the IFSC is wrong"],
  [521, "the IFSC is unknown"],
  [536, "the recipient's type is wrong"],
  [537, "the recipient's type is wrong"],
  [544, "the bank is not available now"],
  [585, "KYC is approved already"],
  [945, "the monthly limit is exceeded"],
  [1237, "the number of the identity document exists already"],
  [1297, "the agent is not onboarded"],
  [1428, "the name does not match"],
  [1467, "the AePS transaction failed"],
  [1528, "the AePS transaction failed"],
  [1714, "the daily KYC failed"],
  [2131, "wrong OTP"],
  [2134, "the customer's biometric KYC is pending"],
  [2135, "the eKYC failed"],
  [2136, "the customer's Aadhaar validation is pending"],
  [2138, "wrong OTP, or the Aadhaar number is not valid"],
  [2147, "the customer's PAN is needed"],
  [2148, "the beneficiary exists already"],
]);

/** `response_type_id`s that mean no, whatever `status` says: the documents branch on them (facts/eko §3.1). */
export const EKO_NEGATIVE_TYPES: ReadonlySet<number> = new Set([
  -1, 346, 461, 1297, 1634, 1714, 2131, 2135, 2138, 2148,
]);

/** More telling than the `status` beside them, which is then only the step's (facts/eko §4.5). */
export const EKO_TELLING_STATUS_IDS: ReadonlySet<number> = new Set([301, 302, 303, 463]);

/** Those of them that no success of any operation has: the Aadhaar number or the OTP is wrong, or the OTP expired. */
export const EKO_DENYING_STATUS_IDS: ReadonlySet<number> = new Set([301, 302, 303]);

/** A documented temporary failure: nothing was done. */
export const EKO_UNAVAILABLE: ReadonlySet<number> = new Set([544]);

/** `response_status_id`: another transaction of this user is in progress. */
export const EKO_IN_PROGRESS = -2;

export interface Refusal {
  readonly scope: RefusedScope;
  readonly reason: string;
}

/** Codes that are about us and not about the person. */
export const EKO_REFUSALS: ReadonlyMap<number, Refusal> = new Map<number, Refusal>([
  [319, { scope: "initiator_id", reason: "the initiator does not exist" }],
  [346, { scope: "user_code", reason: "the service is not active for the user_code" }],
  [1297, { scope: "user_code", reason: "the agent is not onboarded" }],
  [347, { scope: "credential", reason: "the balance is insufficient" }],
]);

/** `response_type_id`s seen for OTP and KYC calls (facts/eko §3.4), and the placeholder 1388 of the new documents. */
export const EKO_TYPE_IDS: ReadonlySet<number> = new Set([
  -1, 22, 23, 43, 74, 300, 308, 309, 325, 346, 461, 1259, 1297, 1388, 1472, 1600, 1604, 1605, 1617, 1619, 1621, 1623,
  1632, 1633, 1634, 1713, 1714, 1741, 2129, 2131, 2132, 2133, 2134, 2135, 2136, 2138, 2147, 2148, 2444, 2446,
]);

/** `response_status_id`s, by the older and the newer meaning (facts/eko §3.1). */
export const EKO_STATUS_IDS: ReadonlySet<number> = new Set([-2, -1, 0, 1, 2, 3, 4, 5, 301, 302, 303, 319, 463]);
