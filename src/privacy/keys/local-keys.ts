import { randomBytes, randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { hasCode } from "../../base/error-code.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { keyRingSchema } from "./key-ring.ts";
import { KEY_BYTES } from "../sealing/data-key.ts";
import { hmacKeySchema, type LocalKeys } from "./settings.ts";
import { parseJson } from "../../base/json.ts";

const FILE = "keys.json";

/** Under the names of the settings, so that the folder's jobs can be taken along to a Redis of one's own. */
const KeysFile = z.strictObject({ SATYAPAN_ENCRYPTION_KEYS: keyRingSchema, SATYAPAN_SUBJECT_KEY: hmacKeySchema });

/**
 * The keys in `folder` (`.satyapan`), made the first time: file mode 0600, folder 0700. Processes that start at the same
 * moment get the same keys.
 * @throws SatyapanError `bad-file` where the folder cannot be written or its file is not what was written
 */
export function loadLocalKeys(folder: string): LocalKeys {
  const path = join(folder, FILE);
  const text = read(path) ?? create(folder, path);
  const parsed = KeysFile.safeParse(parseJson(text));
  if (parsed.success) {
    const { SATYAPAN_ENCRYPTION_KEYS: keys, SATYAPAN_SUBJECT_KEY: subjectKey } = parsed.data;
    return { keys, subjectKey };
  }
  throw new SatyapanError(
    ErrorCode.BAD_FILE,
    `${path} does not hold the two keys it was made with: put it back, or remove the whole of ${folder} to start afresh ` +
      "(the jobs in it cannot be opened without their keys)",
  );
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw new SatyapanError(ErrorCode.BAD_FILE, `the keys in ${path} cannot be read: ${reason(error)}`, {
      cause: error,
    });
  }
}

/**
 * Written whole under a name of its own, then linked to the real one: a link fails where the file is already there, and
 * nobody ever reads half of it.
 */
function create(folder: string, path: string): string {
  const temporary = join(folder, `${FILE}.${randomUUID()}`);
  try {
    makeFolder(folder);
    try {
      writeWhole(temporary, newKeys());
      linkSync(temporary, path);
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error; // else another process was first: its keys are ours
    } finally {
      rmSync(temporary, { force: true });
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new SatyapanError(
      ErrorCode.BAD_FILE,
      `no keys can be made in ${folder}: ${reason(error)}; make it writable, or set SATYAPAN_ENCRYPTION_KEYS and SATYAPAN_SUBJECT_KEY`,
      { cause: error },
    );
  }
}

function newKeys(): string {
  const sealing = randomBytes(KEY_BYTES).toString("base64");
  const subject = randomBytes(KEY_BYTES).toString("base64");
  return `${JSON.stringify({ SATYAPAN_ENCRYPTION_KEYS: `local:${sealing}`, SATYAPAN_SUBJECT_KEY: subject }, null, 2)}\n`;
}

/** On the disk before it has its name: lost keys are lost jobs. */
function writeWhole(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
