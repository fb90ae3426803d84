import { randomBytes, randomUUID } from "node:crypto";
import { link, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { hasCode } from "../../base/error-code.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { auditBroken } from "./broken.ts";

/** `audit-2026-11-21.ndjson`: the UTC day on which its entries were chained. */
const NAME = /^audit-\d{4}-\d\d-\d\d\.ndjson$/;
const ID_FILE = ".id";
/** Longer than any line: the schema bounds every text in it. */
const TAIL_BYTES = 65_536;

const Identity = z.strictObject({ folder: z.string().regex(/^[0-9a-f]{16}$/), chain: z.string().min(1) });
/** Which folder this is, and the chain whose files lie in it. */
export type FolderIdentity = z.infer<typeof Identity>;

/** The end of a file, as a crash may have left it. */
export interface FileEnd {
  /** In bytes. */
  readonly size: number;
  /** Up to the end of the last whole line. */
  readonly whole: number;
  /** That line, if it is not the file's first, which is the header. */
  readonly lastLine: string | null;
}

export function fileNameOf(chained: string): string {
  return `audit-${chained.slice(0, 10)}.ndjson`;
}

/** Oldest first; empty where there is no folder. */
export async function auditFiles(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((name) => NAME.test(name)).toSorted();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

/**
 * The identity of this folder; a new one belongs to `chain` from now on. Several processes may do it at once.
 * @throws SatyapanError `audit-broken`
 */
export async function claimFolder(dir: string, chain: string): Promise<FolderIdentity> {
  makeFolder(dir);
  const known = await readIdentity(dir);
  if (known !== null) return known;
  const draft = join(dir, `.id-${randomUUID()}`);
  const identity = { folder: randomBytes(8).toString("hex"), chain };
  await writeFile(draft, JSON.stringify(identity), { flag: "wx", mode: 0o600, flush: true });
  try {
    await link(draft, join(dir, ID_FILE)); // whole or not at all, and only by the first
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readIdentity(dir)) ?? identity;
}

/** Null: there is none. Throws SatyapanError `audit-broken`. */
export async function readIdentity(dir: string): Promise<FolderIdentity | null> {
  const path = join(dir, ID_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
  try {
    return Identity.parse(JSON.parse(text));
  } catch {
    throw auditBroken(`${path}, which says whose files these are, cannot be read`);
  }
}

/** Reads only the last part of the file. Throws SatyapanError `audit-broken`. */
export async function endOf(path: string): Promise<FileEnd> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL_BYTES);
  const buffer = Buffer.alloc(size - from);
  await file.read(buffer, 0, buffer.length, from);
  const end = buffer.lastIndexOf("\n");
  if (end < 0 && from > 0) throw auditBroken(`${path} ends in something that is no line of it`);
  const start = end <= 0 ? -1 : buffer.lastIndexOf("\n", end - 1);
  const lastLine = start < 0 ? null : buffer.toString("utf8", start + 1, end);
  return { size, whole: end < 0 ? 0 : from + end + 1, lastLine };
}

/** A file's name is safe on the disk, too. */
export async function syncFolder(dir: string): Promise<void> {
  await using folder = await open(dir, "r");
  await folder.sync();
}
