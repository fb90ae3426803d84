import type { Refusal } from "./codes.ts";

/**
 * Every text that the documents show for these calls, word for word with its misspellings (facts/eko §3, §4, §7.17). Only
 * such a text is kept of a reply: any other could hold a name or a number. Nothing is decided by it where a code exists.
 */
export const EKO_TEXTS: ReadonlySet<string> = new Set([
  "Aadhaar OTP dispatched successfully",
  "Aadhaar OTP verified successfully",
  "Aadhar Validation Pending",
  "Adhar Validation Failed",
  "Agent not allowed to this transaction",
  "Congratulations! eKYC successful",
  "Customer KYC Pending",
  "Customer Registration Completed",
  "Failed!Please try after some time",
  "Failure!Customer Not Enrolled",
  "Forbidden: invalid secret-key or timestamp mismatch",
  "Invalid Aadhaar number provided.",
  "Invalid OTP",
  "Invalid Sender/Initiator",
  "KYC Fail",
  "KYC sucess",
  "Kindly use your production key",
  "No key for Response",
  "No mapping rule matched",
  "No mock for this route",
  "OTP has been sent",
  "OTP not found. Please make the OTP request again.",
  "OTP request has been sent",
  "OTP verification failed.",
  "OTP verification successful.",
  "OTP verification token is valid.",
  "Pan Number Required",
  "Please provide the value of the field",
  "Send OTP",
  "Success!",
  "Sucess!",
  "The OTP verification token has timed out.",
  "The OTP verification token is invalid.",
  "Unauthorized",
  "Validate OTP",
  "Validate OTP Failed",
  "Validate the OTP",
  "Validation successful",
  "Wallet opened successfully.",
]);

/** Replies that are a `message` and nothing else (facts/eko §3.3): there is no code to go by. */
export const EKO_BARE_REFUSALS: readonly { readonly starts: string; readonly refusal: Refusal }[] = [
  {
    starts: "Kindly use your production key",
    refusal: { scope: "credential", reason: "the key is of the other environment" },
  },
  {
    starts: "Agent not allowed",
    refusal: { scope: "user_code", reason: "the service is not active for the user_code" },
  },
  {
    starts: "Customer not allowed",
    refusal: { scope: "user_code", reason: "the service is not active for the user_code" },
  },
  { starts: "Invalid Sender/Initiator", refusal: { scope: "initiator_id", reason: "the initiator does not exist" } },
  {
    starts: "No mapping rule matched",
    refusal: { scope: "operation", reason: "the provider does not know this call: its path, method or type is wrong" },
  },
];
export const EKO_MALFORMED_REQUEST = "No key for Response";

/** `data.reason` and `data.description`, in reasons of ours. */
export const EKO_DETAILS: ReadonlyMap<string, string> = new Map([
  ["Wrong OTP", "wrong OTP"],
  ["OTP expired", "OTP expired"],
  ["Customer Already registred", "the customer is registered already"],
  [
    "The details entered are incorrect or the OTP has expired. Kindly request a new OTP.",
    "wrong or expired OTP: a new one has to be asked for",
  ],
  ["Merchant is Inactive or Invalid Details", "the merchant is inactive, or an earlier step is missing"],
  ["Transaction Not Completed", "the transaction was not completed"],
  ["Please complete bank eKYC to process the transaction.", "the eKYC at the bank is not complete"],
]);
