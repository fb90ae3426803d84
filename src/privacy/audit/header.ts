import { z } from "zod";
import type { AuditKey } from "./key.ts";
import type { Mark } from "./log.ts";

/** First line of every file: what its first entry follows. */
export interface FileHeader {
  readonly chain: string;
  readonly file: string;
  /** The file before; null: it is the folder's first. */
  readonly previous: string | null;
  /** Number and hash of the entry before the first one in here; for a log's very first 0 and the chain's id. */
  readonly after: Mark;
}

const Form = z.strictObject({
  audit: z.literal(1),
  chain: z.string(),
  file: z.string(),
  previous: z.string().nullable(),
  key: z.string(),
  first: z.int().positive(),
  after: z.string(),
  hash: z.string(),
});

export interface ReadHeader extends FileHeader {
  readonly keyId: string;
  /** Whether `key` made it; false where it was altered. */
  readonly hashedBy: (key: AuditKey) => boolean;
}

/** Deterministic: whoever writes the same file writes the same bytes. */
export function makeHeader(key: AuditKey, { chain, file, previous, after }: FileHeader): string {
  const fields = { audit: 1, chain, file, previous, key: key.id, first: after.seq + 1, after: after.hash };
  const body = JSON.stringify(fields).slice(0, -1);
  return `${body},"hash":"${key.hash("header", body)}"}`;
}

/** Null: it is no header. */
export function readHeader(line: string): ReadHeader | null {
  if (!line.startsWith('{"audit":')) return null;
  let form: z.infer<typeof Form>;
  try {
    form = Form.parse(JSON.parse(line));
  } catch {
    return null;
  }
  const { chain, file, previous, first, key: keyId } = form;
  const header = { chain, file, previous, after: { seq: first - 1, hash: form.after } };
  return { ...header, keyId, hashedBy: (key) => makeHeader(key, header) === line };
}
