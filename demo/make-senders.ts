import { identityOf } from "../simulator/identity.ts";
import { madeUpAadhaar, madeUpMobile } from "../simulator/people.ts";

/** How many senders `examples/senders.csv` has. */
export const SENDERS = 200;

/**
 * Endings that choose what a provider's stand-in answers (simulator/endings.ts), and how many senders have each. In the file they
 * stand among the others: of eight senders the second is one of `NEW`, and the fourth one of these until they are used up.
 */
const ENDINGS = [
  { digits: "409", count: 6 }, // Deepvue: an OTP is pending already, later it is sent
  { digits: "114", count: 5 }, // no mobile number linked to the Aadhaar
  { digits: "500", count: 5 }, // a temporary failure once
  { digits: "544", count: 2 }, // a temporary failure twice
  { digits: "998", count: 2 }, // no such number
  { digits: "902", count: 2 }, // the connection is closed without a reply, though it was done
] as const;
/** Eko does not know the sender yet: it is created first. */
const NEW = "308";

const COLUMNS = [
  "customer_id",
  "mobile",
  "aadhaar",
  "name",
  "dob",
  "residence_address",
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
    const usual = index % 8 === 1 ? NEW : "000";
    const ending = index % 8 === 3 ? (endings[(index - 3) / 8] ?? usual) : usual;
    const mobile = madeUpMobile(index, ending);
    const aadhaar = madeUpAadhaar(index, ending);
    const { name, dateOfBirth, address } = identityOf(aadhaar);
    const row: Record<(typeof COLUMNS)[number], string> = {
      customer_id: mobile,
      mobile,
      aadhaar,
      name,
      dob: dateOfBirth.split("-").toReversed().join("-"),
      residence_address: `${address["house"]}, ${address["street"]}, ${address["vtc"]} ${address["pin"]}`,
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
