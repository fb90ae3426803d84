import { nearest } from "../base/near.ts";

/** What people write for one of our fields, without its capitals and signs. */
const ALIASES: Readonly<Record<string, string>> = {
  aadhar: "aadhaar",
  aadharnumber: "aadhaar",
  aadharno: "aadhaar",
  aadhaarnumber: "aadhaar",
  aadhaarno: "aadhaar",
  uid: "aadhaar",
  reason: "purpose",
  dateofbirth: "dob",
  address: "residence_address",
  mobilenumber: "mobile",
  phone: "mobile",
};

export interface UnknownField {
  readonly field: string;
  readonly message: string;
}

/**
 * What to say of a field that an input does not have; `place` counts from 1. The name is shown only where it looks like
 * one: the "column names" of a CSV file without a header are its first person.
 */
export function unknownField(name: string, place: number, known: readonly string[]): UnknownField {
  const field = looksLikeName(name) ? name : `(field ${place})`;
  if (name === "client_ref_id") {
    return { field, message: "cannot be given: it is made anew for each attempt" };
  }
  if (name === "of") return { field, message: "unknown field: only a verify takes the job of its send" };
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, "");
  const alias = Object.hasOwn(ALIASES, plain) ? ALIASES[plain] : undefined;
  if (alias !== undefined && known.includes(alias)) return { field, message: `unknown field: it is \`${alias}\` here` };
  const near = nearest(name, known, 1)[0];
  if (near !== undefined) return { field, message: `unknown field: did you mean \`${near}\`?` };
  const hidden =
    field === name ? "" : "; its name is not shown, for it may be a value (a CSV file without a header line?)";
  return { field, message: `unknown field: there are ${known.join(", ")}${hidden}` };
}

/** `otp_ref_id`, `otpRefId`, `consent.method`, but no number and no capitalised word. */
function looksLikeName(name: string): boolean {
  return /^[a-z][A-Za-z0-9_.-]{0,39}$/.test(name) && !/\d{4}/.test(name);
}
