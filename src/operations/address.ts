import { z } from "zod";
import { Secret } from "../secrets/secret.ts";
import { says } from "./fields.ts";

const PROBLEM = says("must be text, a list of lines, or an object of named parts, each of them text");

/**
 * `residence_address` in its three published shapes (facts/eko §6): text, a list of lines, or an object of named parts.
 * Sealed as one text: text stays, the others become JSON.
 */
export const residenceAddress = z
  .union(
    [
      z.string().max(1000, PROBLEM).regex(/\S/, PROBLEM),
      z.array(z.string().max(200, PROBLEM)).min(1, PROBLEM).max(10, PROBLEM),
      z
        .record(z.string().regex(/^[a-z_]{1,32}$/, PROBLEM), z.string().max(200, PROBLEM))
        .refine((parts) => Object.keys(parts).length > 0, PROBLEM),
    ],
    PROBLEM,
  )
  .transform((address) => new Secret(typeof address === "string" ? address : JSON.stringify(address)))
  .meta({ sealed: true, description: "Address: text, a list of lines, or an object (line, city, state, pincode, …)" });

/** The address in the form that is sent: a list (also one that came as JSON text, in a CSV cell), JSON text of an object, or text. */
export function addressOnTheWire(address: Secret): string | string[] {
  const text = address.open();
  if (!text.startsWith("[")) return text;
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return text;
  }
}
