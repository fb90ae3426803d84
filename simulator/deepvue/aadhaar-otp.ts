import { identityOf } from "../identity.ts";
import { isAadhaarNumber } from "../people.ts";
import type { Answer, Reply } from "../reply.ts";
import type { OpenedCall, Route } from "../route.ts";
import type { World } from "../world.ts";
import { admit } from "./admit.ts";
import { badPattern, deepvueFaultReply, missingQuery, pending, product, verifyFailures } from "./replies.ts";

const OTP = "deepvue.aadhaar-otp";

/** Smallest PDF that viewers open: stands for `document_pdf`; base64. */
const PDF = Buffer.from("%PDF-1.0\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n%%EOF\n").toString("base64");

/** Everything comes in the query string, and all of `names` must be there. */
function missing(query: URLSearchParams, names: readonly string[]): Reply | null {
  const absent = names.filter((name) => (query.get(name) ?? "") === "");
  return absent.length === 0 ? null : missingQuery(absent);
}

/** Any value but `Y` is rejected (facts/deepvue §2.6); how, is not published. */
function withoutConsent(query: URLSearchParams, world: World): Reply | null {
  return query.get("consent") === "Y" ? null : product(world, 422, "INVALID_INPUT", "Invalid consent.");
}

function opened(persons: readonly string[], refused: Reply | null, carryOut: () => Answer): OpenedCall {
  return { clientRefId: null, persons, next: refused === null ? { carryOut } : { refused } };
}

export const generateOtp: Route = {
  provider: "deepvue",
  operation: OTP,
  step: "send",
  method: "POST",
  paths: ["/v2/ekyc/aadhaar/generate-otp"],
  admit,
  open({ query }, world) {
    const aadhaar = query.get("aadhaar_number") ?? "";
    const refused =
      missing(query, ["aadhaar_number", "consent", "purpose"]) ??
      withoutConsent(query, world) ??
      (isAadhaarNumber(aadhaar) ? null : badPattern(world));
    return opened([aadhaar], refused, () => send(aadhaar, world));
  },
  faultReply: deepvueFaultReply,
};

function send(aadhaar: string, world: World): Answer {
  const { pendingWindowMs } = world.configuration;
  const now = world.now();
  if (world.pending.isPending(aadhaar, now, pendingWindowMs)) return { reply: pending(world), committed: null };
  world.pending.open(aadhaar, now, pendingWindowMs);
  const reference = world.unusedReference(() => world.draw.digits(8));
  world.sendOtp({
    operation: OTP,
    handle: reference,
    to: aadhaar,
    mobile: null,
    referenceTid: null,
    reference,
    clientRefId: null,
  });
  const message = "OTP sent to your Registered Mobile number. Check your mobile.";
  return { reply: product(world, 200, "SUCCESS", message, { reference_id: reference }), committed: "otp-sent" };
}

export const verifyOtp: Route = {
  provider: "deepvue",
  operation: "deepvue.aadhaar-otp.verify",
  step: "verify",
  method: "POST",
  paths: ["/v2/ekyc/aadhaar/verify-otp"],
  admit,
  open({ query }, world) {
    const refused = missing(query, ["otp", "reference_id", "consent", "purpose"]) ?? withoutConsent(query, world);
    const sentTo = world.otps.find(OTP, query.get("reference_id") ?? "")?.to;
    return opened(sentTo === undefined ? [] : [sentTo], refused, () => verify(query, world));
  },
  faultReply: deepvueFaultReply,
};

function verify(query: URLSearchParams, world: World): Answer {
  const [reference, otp] = [query.get("reference_id") ?? "", query.get("otp") ?? ""];
  const redeemed = world.otps.redeem(OTP, reference, otp, world.now(), world.configuration.wrongTries);
  if (redeemed.kind !== "accepted") return { reply: verifyFailures[redeemed.kind](world), committed: null };

  const aadhaar = redeemed.issued.to;
  const person = identityOf(aadhaar);
  const mobile = query.get("mobile_number");
  const data = {
    address: person.address,
    dateOfBirth: person.dateOfBirth,
    email: person.emailHash,
    gender: person.gender,
    generatedAt: String(world.now()),
    maskedNumber: `xxxx-xxxx-${aadhaar.slice(8)}`,
    name: person.name,
    phone: person.phoneHash,
    photo: person.photo,
    ...(mobile === null ? {} : { aadhaar_linked_mobile_match: mobile === person.mobile ? "Yes" : "No" }),
    ...(query.get("generate_pdf") === "true" ? { document_pdf: PDF } : {}),
  };
  return { reply: product(world, 200, "SUCCESS", "Aadhaar eKYC Successful", { data }), committed: "verified" };
}
