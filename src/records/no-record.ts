import { refusalWord } from "../redis/refusal.ts";

/** What is said of a job whose key holds something else than the hash that a record is. */
export const NO_RECORD =
  "not a record: something else was written to its key in Redis; whether it was called cannot be known";

/** In place of the fields of such a job: it is shown as failed, with the reason. */
export const NO_RECORD_FIELDS: Readonly<Record<string, string>> = { state: "", reason: NO_RECORD };

/** Whether a command was refused because its key holds no hash. */
export function isNoRecord(error: unknown): boolean {
  return refusalWord(error) === "WRONGTYPE";
}
