import { refusalWord } from "../redis/refusal.ts";

/** What is said of a job whose key holds something else than the hash that a record is. */
export const NO_RECORD =
  "not a record: something else was written to its key in Redis; whether it was called cannot be known";

/** In place of the fields of such a job: it is shown as failed, with the reason. */
export const NO_RECORD_FIELDS: Readonly<Record<string, string>> = { state: "", reason: NO_RECORD };

/** In place of those of a record in the archive that this version cannot read; nothing equals its digest. */
export const UNREADABLE_FIELDS: Readonly<Record<string, string>> = {
  state: "",
  digest: "",
  reason: "its record in the archive was cut off, or a later version wrote it; it is not called again",
};

/** Whether a command was refused because its key holds no hash. */
export function isNoRecord(error: unknown): boolean {
  return refusalWord(error) === "WRONGTYPE";
}
