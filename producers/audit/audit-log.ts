import { join } from "node:path";
import { z } from "zod";
import type { Secret } from "../../src/secrets/secret.ts";
import type { AuditKind } from "../../src/privacy/audit/entry.ts";
import { auditFiles } from "../../src/privacy/audit/folder.ts";
import { type AuditLine, readLine, streamId } from "../../src/privacy/audit/line.ts";
import { readFileLines } from "../../src/privacy/audit/lines.ts";
import type { AuditLog } from "../../src/privacy/audit/log.ts";
import { subjectKey } from "../../src/secrets/subject-key.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { AADHAAR_FORM, MOBILE_FORM } from "../../src/secrets/number-forms.ts";

/** Batches at once. */
const PAGE = 20;
const DAY_MS = 86_400_000;

/** Which entries are wanted; times in ms, `until` not included. */
export interface AuditFilter {
  readonly since: number;
  readonly until: number | null;
  /** A subject key (`subjectOfNumber`), never a number. */
  readonly subject: string | null;
  /** Empty: all. */
  readonly kinds: readonly AuditKind[];
}

/**
 * The subject key of a person's number: 12 digits of an Aadhaar number or 10 of a mobile number, also in groups.
 * @throws SatyapanError `bad-input`, which does not repeat it
 */
export function subjectOfNumber(key: Secret, text: string): string {
  const digits = text.trim().replaceAll(/[ -]/g, "");
  if (AADHAAR_FORM.test(digits)) return subjectKey(key, "aadhaar", digits);
  if (MOBILE_FORM.test(digits)) return subjectKey(key, "mobile", digits);
  const message = "--subject must be given one Aadhaar number (12 digits) or mobile number (10 digits)";
  throw new SatyapanError(ErrorCode.BAD_INPUT, message);
}

/** The lines that fit, oldest first: those of the files, then what only Redis has yet. Their hashes are not checked. */
export async function* auditLines(
  dir: string | null,
  log: AuditLog | null,
  filter: AuditFilter,
): AsyncGenerator<string> {
  let id = "0";
  let last = 0;
  for (const file of dir === null ? [] : await auditFiles(dir)) {
    // Entries are chained within moments of when they were made, but a clock may be wrong: a day is more than enough.
    if (Date.parse(`${file.slice(6, 16)}T00:00:00Z`) + 2 * DAY_MS < filter.since) continue;
    for await (const { text, isWhole } of readFileLines(join(dir ?? "", file))) {
      const line = isWhole ? readLine(text) : null;
      if (line === null) continue;
      id = streamId(line);
      last = line.seq;
      if (fits(line, filter)) yield text;
    }
  }
  if (log === null) return;
  for (let page = await log.after(id, PAGE); page.length > 0; page = await log.after(id, PAGE)) {
    for (const text of page.flatMap(({ lines }) => lines)) {
      const line = readLine(text);
      if (line !== null && line.seq > last && fits(line, filter)) yield text;
    }
    id = page.at(-1)?.id ?? id;
  }
}

function fits(line: AuditLine, { since, until, subject, kinds }: AuditFilter): boolean {
  const entry = parse(line.text);
  if (entry === null) return false;
  const at = Date.parse(entry.at);
  if (at < since || (until !== null && at >= until)) return false;
  if (subject !== null && entry.subject !== subject) return false;
  return kinds.length === 0 || kinds.some((kind) => kind === entry.kind);
}

/** Also entries of a later version, whose kinds this one does not know. */
const AnyEntry = z.looseObject({ at: z.string(), kind: z.string(), subject: z.string().nullish() });

function parse(text: string): z.infer<typeof AnyEntry> | null {
  try {
    return AnyEntry.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
