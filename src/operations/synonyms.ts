/**
 * What people write above a column for each of our fields: in small letters and digits alone, as `plainName` makes it. What is no
 * more than "number" or "id" is in none: it could be anybody's.
 */
export const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  aadhaar: [
    ...["aadhar", "adhaar", "adhar", "aadhaarnumber", "aadharnumber", "adharnumber", "adhaarnumber"],
    ...["aadhaarno", "aadharno", "adharno", "adhaarno", "aadhaarcard", "aadharcard", "aadhaarcardno", "aadharcardno"],
    ...["aadhaarcardnumber", "aadharcardnumber", "aadhaarid", "aadharid", "uid", "uidno", "uidnumber", "uidai", "आधार"],
    ...["आधारनंबर", "आधारसंख्या"],
  ],
  mobile: [
    ...["mobileno", "mobilenumber", "mobilenum", "mob", "mobno", "phone", "phoneno", "phonenumber", "phonenum", "cell"],
    ...["cellno", "cellnumber", "contactno", "contactnumber", "msisdn", "whatsapp", "whatsappno", "whatsappnumber"],
    ...["customermobile", "customermobileno", "customermobilenumber", "sendermobile", "sendermobileno"],
    ...[
      "sendermobilenumber",
      "registeredmobile",
      "registeredmobileno",
      "registeredmobilenumber",
      "मोबाइल",
      "मोबाइलनंबर",
    ],
  ],
  name: [
    ...[
      "fullname",
      "customername",
      "sendername",
      "nameofsender",
      "nameofcustomer",
      "nameasperaadhaar",
      "nameasperaadhar",
    ],
    ...["aadhaarname", "aadharname", "नाम"],
  ],
  dob: ["dateofbirth", "birthdate", "birthday", "birth", "dobyyyymmdd", "जन्मतिथि"],
  residence_address: [
    "address",
    "residenceaddress",
    "residentialaddress",
    "homeaddress",
    "currentaddress",
    "addr",
    "पता",
  ],
  purpose: ["reason", "purposeofverification", "verificationpurpose"],
  csp_id: ["csp", "cspcode", "cspno", "agentid", "agentcode", "bcid", "bccode"],
  user_code: ["usercode", "agentusercode", "ekousercode", "merchantcode"],
  initiator_id: ["initiator", "initiatorid", "initiatormobile"],
  latlong: ["latitudelongitude", "latlng", "location", "geolocation", "gps", "coordinates"],
  otp: ["code", "otpcode", "onetimepassword", "onetimecode"],
  otp_ref_id: ["otpref", "otpreference", "otprefno", "otpreferenceid"],
  "consent.reference": ["consentref", "consentreference", "consentid", "consentno", "consentnumber", "consentrefno"],
  "consent.method": ["consentmethod", "consentmode", "consentvia", "consenttype"],
  "consent.obtained_at": ["consentobtainedat", "consentat", "consenttime", "consentdatetime", "consenttimestamp"],
  "consent.language": ["consentlanguage"],
};

/** Fields that are somebody's mobile number: what is written for `mobile` is meant for them where there is no `mobile`. */
const MOBILE_FIELDS = ["customer_id", "mobile_number"];

/** The name without its capitals, blanks and signs. */
export function plainName(name: string): string {
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{Nd}]/gu, "");
}

/** Which of these fields a column of that name means, by its own name first; null: none. */
export function fieldOfName(name: string, fields: readonly string[]): string | null {
  if (fields.includes(name)) return name;
  const plain = plainName(name);
  if (plain === "") return null;
  const own = fields.find((field) => plainName(field) === plain);
  if (own !== undefined) return own;
  return fields.find((field) => synonymsOf(field, fields).includes(plain)) ?? null;
}

function synonymsOf(field: string, fields: readonly string[]): readonly string[] {
  if (MOBILE_FIELDS.includes(field) && !fields.includes("mobile")) {
    const first = MOBILE_FIELDS.find((known) => fields.includes(known));
    if (first === field) return ["mobile", ...(SYNONYMS["mobile"] ?? [])];
  }
  return SYNONYMS[field] ?? [];
}
