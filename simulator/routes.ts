import { generateOtp, verifyOtp } from "./deepvue/aadhaar-otp.ts";
import { walletBalance } from "./deepvue/wallet-balance.ts";
import { deepvueManners } from "./deepvue/replies.ts";
import { EKO_BASE_PATH } from "./credentials.ts";
import { ekycOtp, ekycOtpVerify } from "./eko/aeps-fingpay.ts";
import { aadhaarOtp, aadhaarOtpVerify, sender, senderCreate } from "./eko/dmt-levin.ts";
import { ekoManners } from "./eko/eko-route.ts";
import { mobileOtp, mobileOtpVerify } from "./eko/mobile-otp.ts";
import type { ProviderManners, Route } from "./route.ts";

/** All routes of both providers: the one list to add to. */
const ROUTES: readonly Route[] = [
  sender,
  senderCreate,
  aadhaarOtp,
  aadhaarOtpVerify,
  mobileOtp,
  mobileOtpVerify,
  ekycOtp,
  ekycOtpVerify,
  generateOtp,
  verifyOtp,
  walletBalance,
];

export interface FoundPath {
  /** With `{customer_id}` in place of the number. */
  readonly template: string;
  readonly customer: string | null;
  readonly byMethod: ReadonlyMap<string, Route>;
}

const CUSTOMER = "{customer_id}";
const PLAIN = new Map<string, Map<string, Route>>();
const PATTERNS: { readonly template: string; readonly pattern: RegExp; readonly byMethod: Map<string, Route> }[] = [];

for (const route of ROUTES) {
  for (const template of route.paths) {
    const byMethod = PLAIN.get(template) ?? PATTERNS.find((known) => known.template === template)?.byMethod;
    if (byMethod !== undefined) byMethod.set(route.method, route);
    else if (template.includes(CUSTOMER)) {
      const pattern = new RegExp(`^${template.replace(CUSTOMER, "([^/]+)")}$`);
      PATTERNS.push({ template, pattern, byMethod: new Map([[route.method, route]]) });
    } else PLAIN.set(template, new Map([[route.method, route]]));
  }
}

/** The route of a path without its query string. */
export function findPath(path: string): FoundPath | null {
  const plain = PLAIN.get(path);
  if (plain !== undefined) return { template: path, customer: null, byMethod: plain };
  for (const { template, pattern, byMethod } of PATTERNS) {
    const customer = pattern.exec(path)?.[1];
    if (customer !== undefined) return { template, customer, byMethod };
  }
  return null;
}

export function mannersOf(path: string): ProviderManners {
  return path.startsWith(EKO_BASE_PATH) ? ekoManners : deepvueManners;
}
