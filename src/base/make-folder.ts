import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "./error-code.ts";

/**
 * Makes `path`, readable by its user alone, and what it lies in; nothing where it is there. In place of Node's `recursive`, which
 * goes round for ever where the system has no such folder though the one around it is there, as in /proc.
 * @throws the system's error
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isFolder(path)) return;
    if (!hasCode(error, "ENOENT") || isFolder(dirname(path))) throw error;
    makeFolder(dirname(path));
    makeFolder(path);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
