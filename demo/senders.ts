import { readRows } from "../producers/files/read-rows.ts";

/** What each operation takes of a sender's row. The two `sender` operations are left out. */
const FIELDS = {
  "eko.dmt-levin.aadhaar-otp": ["customer_id", "aadhaar", "otp_ref_id"],
  "eko.mobile-otp": ["mobile", "csp_id"],
  "eko.aeps-fingpay.ekyc-otp": ["customer_id", "aadhaar", "latlong"],
  "deepvue.aadhaar-otp": ["aadhaar", "purpose", "consent"],
} as const;

export type SendName = keyof typeof FIELDS;
export type VerifyName = `${SendName}.verify`;

export const SENDS = Object.keys(FIELDS) as SendName[];

export interface Sender {
  /** The row in the file, from 0. */
  readonly index: number;
  readonly mobile: string;
  readonly aadhaar: string;
  input(operation: SendName): Record<string, unknown>;
}

/** The senders of a CSV file with the columns of `examples/senders.csv`. */
export async function readSenders(path: string, text: string): Promise<Sender[]> {
  const rows = await Array.fromAsync(readRows(path, text));
  return rows.map(({ input }, index) => ({
    index,
    mobile: String(input["mobile"]),
    aadhaar: String(input["aadhaar"]),
    input: (operation) => Object.fromEntries(FIELDS[operation].map((field) => [field, input[field]])),
  }));
}
