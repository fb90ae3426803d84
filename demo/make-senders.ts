import { madeUpAadhaar, madeUpMobile } from "../simulator/people.ts";

/** How many senders `examples/senders.csv` has. */
export const SENDERS = 200;

/** Endings that choose what a provider's stand-in answers (simulator/endings.ts), and how many senders have each. */
const ENDINGS = [
  { digits: "409", count: 8 }, // Deepvue: an OTP is pending already, later it is sent
  { digits: "114", count: 6 }, // no mobile number linked to the Aadhaar
  { digits: "500", count: 6 }, // a temporary failure once
  { digits: "544", count: 2 }, // a temporary failure twice
  { digits: "998", count: 3 }, // no such number
] as const;

const COLUMNS = [
  "customer_id",
  "mobile",
  "aadhaar",
  "otp_ref_id",
  "csp_id",
  "latlong",
  "purpose",
  "consent.reference",
  "consent.method",
  "consent.obtained_at",
] as const;

/** The text of `examples/senders.csv`: made-up people, Verhoeff-valid numbers, nobody real. */
export function makeSenders(): string {
  const endings = ENDINGS.flatMap(({ digits, count }) => Array.from({ length: count }, () => digits));
  const lines = Array.from({ length: SENDERS }, (_, index) => {
    // Spread over the file: every eighth sender has an ending of the table, until they are used up.
    const ending = index % 8 === 3 ? (endings[(index - 3) / 8] ?? "000") : "000";
    const mobile = madeUpMobile(index, ending);
    const row: Record<(typeof COLUMNS)[number], string> = {
      customer_id: mobile,
      mobile,
      aadhaar: madeUpAadhaar(index, ending),
      otp_ref_id: String(73_849_201 + index),
      csp_id: madeUpMobile(9_000 + (index % 5)),
      latlong: "28.6139,77.2090",
      purpose: "Sender onboarding",
      "consent.reference": `CONSENT-${String(index + 1).padStart(4, "0")}`,
      "consent.method": "signed form",
      "consent.obtained_at": "2026-01-15T10:00:00+05:30",
    };
    return COLUMNS.map((column) => (row[column].includes(",") ? `"${row[column]}"` : row[column])).join(",");
  });
  return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
}
