import { createHash } from "node:crypto";
import { madeUpMobile } from "./people.ts";

const MEN = ["Aarav", "Dev", "Ishaan", "Kabir", "Manav", "Neel", "Rohan", "Tejas"];
const WOMEN = ["Anika", "Diya", "Ira", "Kavya", "Meera", "Naina", "Riya", "Tara"];
const SURNAMES = [
  "Ahuja",
  "Bose",
  "Chari",
  "Desai",
  "Gowda",
  "Iyer",
  "Joshi",
  "Kulkarni",
  "Menon",
  "Nair",
  "Pillai",
  "Rao",
];
const TOWNS = [
  { district: "Bengaluru Urban", state: "Karnataka", pin: "560001" },
  { district: "Chennai", state: "Tamil Nadu", pin: "600001" },
  { district: "Jaipur", state: "Rajasthan", pin: "302001" },
  { district: "Kolkata", state: "West Bengal", pin: "700001" },
  { district: "Pune", state: "Maharashtra", pin: "411001" },
];

/** The smallest PNG there is (1 × 1): stands for the photo. */
const PHOTO = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** An invented person: the same for the same Aadhaar number, always. */
export interface Identity {
  readonly name: string;
  readonly gender: "M" | "F";
  /** DD-MM-YYYY, as both providers return it. */
  readonly dateOfBirth: string;
  /** The number UIDAI would send the OTP to. */
  readonly mobile: string;
  /** Base64. */
  readonly photo: string;
  readonly address: Readonly<Record<string, string>>;
  /** Hashes, not contact data (facts/deepvue §2.2); hex. */
  readonly emailHash: string;
  readonly phoneHash: string;
}

export function identityOf(aadhaar: string): Identity {
  // From a hash: numbers that share their last digits, as fixtures do, are not all of one kind.
  const number = createHash("sha256").update(aadhaar).digest().readUIntBE(0, 6);
  const gender = number % 2 === 0 ? "F" : "M";
  const surname = pick(SURNAMES, Math.floor(number / 64));
  const town = pick(TOWNS, Math.floor(number / 7));
  const mobile = madeUpMobile(number % 4_000_000);
  return {
    name: `${pick(gender === "F" ? WOMEN : MEN, Math.floor(number / 8))} ${surname}`,
    gender,
    dateOfBirth: `${twoDigits(1 + (number % 28))}-${twoDigits(1 + (number % 12))}-${1950 + (number % 55)}`,
    mobile,
    photo: PHOTO,
    address: {
      careOf: `C/O ${surname}`,
      country: "India",
      district: town.district,
      house: `No. ${1 + (number % 200)}`,
      landmark: "",
      locality: "Example Layout",
      pin: town.pin,
      postOffice: "Example",
      state: town.state,
      street: `${1 + (number % 20)} Main Road`,
      subDistrict: "",
      vtc: town.district,
    },
    emailHash: sha256(`${aadhaar}@example.invalid`),
    phoneHash: sha256(mobile),
  };
}

function pick<T>(list: readonly T[], index: number): T {
  const chosen = list[index % list.length];
  if (chosen === undefined) throw new RangeError("pick needs a list with something in it");
  return chosen;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
