import { Complaint, textSchema, type TextSchema } from "../base/text.ts";
import { Secret } from "./secret.ts";

/** Longest credential, in characters: what still goes into an HTTP header without question. */
const LONGEST_WORD = 512;

/** A credential as it goes into a header. No message repeats it. */
export const secretSchema: TextSchema<Secret> = textSchema("text without spaces", (text) =>
  text.length <= LONGEST_WORD && /^[\u0021-\u007e]+$/.test(text)
    ? new Secret(text)
    : new Complaint(`must be 1 to ${LONGEST_WORD} printable ASCII characters without spaces`),
);
