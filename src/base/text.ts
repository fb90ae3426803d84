import { z } from "zod";
import { ErrorCode, SatyapanError } from "./error.ts";

/** Longest part of a wrong value that a message repeats, in characters. */
const QUOTED = 40;

/** Reads a value from a text. What it complains is a predicate ("must be …"): whoever reports it puts the name before it. */
export type TextSchema<T> = z.ZodType<T, string>;

/** Why a text was refused: "must be …". */
export class Complaint {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/**
 * A schema from a plain function, which returns either the value or its complaint. `takes` says for the documentation
 * what it accepts ("duration, 1ms to 1h"), and is the schema's `description`.
 */
export function textSchema<T>(takes: string, read: (text: string) => T | Complaint): TextSchema<T> {
  const schema = z.string().transform((text, context): T => {
    const value = read(text);
    if (!(value instanceof Complaint)) return value;
    context.addIssue({ code: "custom", message: value.message });
    return z.NEVER;
  });
  return schema.describe(takes);
}

/**
 * The value of `text`, which the message of an error calls `name` (a variable, an option).
 * @throws SatyapanError `code`
 */
export function parseText<T>(
  schema: TextSchema<T>,
  text: string,
  name: string,
  code: ErrorCode = ErrorCode.BAD_SETTINGS,
): T {
  const result = schema.safeParse(text);
  if (result.success) return result.data;
  throw new SatyapanError(code, result.error.issues.map((issue) => `${name} ${issue.message}`).join("\n"));
}

/** A wrong value for a message: in quotes, escaped, cut. Never for a secret. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text);
}
