import { nearest } from "../base/near.ts";
import { Complaint, quote, textSchema } from "../base/text.ts";
import { OPERATION_NAMES } from "./catalogue.ts";

/** What one call costs, in rupees, by operation. */
export type CallPrices = ReadonlyMap<string, number>;

const MOST_PRICES = 100;

/** `eko.mobile-otp=0.25,deepvue.aadhaar-otp=3` */
export const callPricesSchema = textSchema(
  "operation=rupees,…, like eko.mobile-otp=0.25,deepvue.aadhaar-otp=3",
  readPrices,
);

function readPrices(text: string): CallPrices | Complaint {
  const parts = text.split(",");
  if (parts.length > MOST_PRICES) return new Complaint(`must have at most ${MOST_PRICES} prices`);
  const prices = new Map<string, number>();
  for (const part of parts) {
    const [name = "", price = "", ...more] = part.trim().split("=");
    if (!/^\d{1,6}(?:\.\d{1,4})?$/.test(price) || more.length > 0) {
      return new Complaint(`must be operation=rupees, like eko.mobile-otp=0.25, not ${quote(part)}`);
    }
    if (!OPERATION_NAMES.includes(name)) {
      const [near] = nearest(name, OPERATION_NAMES, 1);
      return new Complaint(`names no operation: ${quote(name)}${near === undefined ? "" : `; did you mean ${near}?`}`);
    }
    if (prices.has(name)) return new Complaint(`has two prices for ${name}`);
    prices.set(name, Number(price));
  }
  return prices;
}
