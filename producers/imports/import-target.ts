import type { z } from "zod";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { Operation } from "../../src/operations/operation.ts";

/** What each row of a file is to run. */
export interface ImportTarget {
  readonly kind: "operation";
  readonly name: string;
  /** Whose input a row is. */
  readonly owner: Operation;
  /** What a column may be named: an input's fields, those of an object as `consent.method`. */
  readonly fields: readonly string[];
  /** The fields that every row needs; a list: one of these. */
  readonly needs: readonly (readonly string[])[];
  /** The ways that a row can go. */
  readonly ways: readonly Way[];
}

/** The calls of one row, by operation, and the SMS that it gets by them. */
export interface Way {
  readonly calls: readonly string[];
  readonly sms: number;
}

const CONSENT_FIELDS = ["consent.reference", "consent.method", "consent.obtained_at", "consent.language"];
const NEEDED_OF_CONSENT = CONSENT_FIELDS.slice(0, 3);

/** Throws SatyapanError `bad-usage` where not one of the two is given, or `unknown-operation`. */
export function importTarget({ operation }: { readonly operation?: string }): ImportTarget {
  if (operation === undefined) {
    throw new SatyapanError(ErrorCode.BAD_USAGE, "say what each row is to run: --operation NAME");
  }
  const owner = findOperation(operation);
  if (owner.of !== undefined) {
    const message = `${owner.name} answers an OTP, which does not live as long as a batch may take: use \`satyapan submit ${owner.name} --each FILE\``;
    throw new SatyapanError(ErrorCode.BAD_USAGE, message);
  }
  const ways = [{ calls: [owner.name], sms: owner.step === "send" ? 1 : 0 }];
  return { kind: "operation", name: owner.name, owner, fields: fieldsOf(owner), needs: needsOf(owner), ways };
}

function fieldsOf({ input }: Operation): string[] {
  return Object.keys(input.shape).flatMap((field) => (field === "consent" ? [field, ...CONSENT_FIELDS] : [field]));
}

function needsOf({ input, exactlyOne }: Operation): (readonly string[])[] {
  const required = Object.entries<z.ZodType>(input.shape)
    .filter(([, schema]) => !schema.safeParse(undefined).success)
    .flatMap(([field]) => (field === "consent" ? NEEDED_OF_CONSENT : [field]));
  return [...required.map((field) => [field]), ...(exactlyOne === undefined ? [] : [exactlyOne])];
}
