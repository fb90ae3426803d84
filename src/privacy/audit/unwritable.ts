import { ErrorCode, SatyapanError } from "../../base/error.ts";

/** What a system refuses files with, and how to mend it. A connection's errors have other codes. */
const WHY: ReadonlyMap<string, string> = new Map([
  ["EACCES", "may not be written by the worker's user: give it to that user, or set AUDIT_DIR to a folder of its own"],
  ["EPERM", "may not be written by the worker's user: give it to that user, or set AUDIT_DIR to a folder of its own"],
  ["EROFS", "is where nothing can be written: mount it to be written, or set AUDIT_DIR to another folder"],
  ["ENOSPC", "cannot be written, its disk is full: free some of it"],
  ["EDQUOT", "cannot be written, its user's share of the disk is used up: free some of it"],
  ["ENOTDIR", "is not a folder: take away what is there, or set AUDIT_DIR to another one"],
  ["EEXIST", "is not a folder: take away what is there, or set AUDIT_DIR to another one"],
  ["EISDIR", "is, or holds, a folder where a file of the log has to be: take it away"],
  ["ENOENT", "cannot be made: make the folder above it, or set AUDIT_DIR to another one"],
  ["ENAMETOOLONG", "has a name that is too long: set AUDIT_DIR to another folder"],
  ["EIO", "cannot be written or read: its disk is at fault"],
  ["EMFILE", "cannot be opened, the worker has too many files open: raise its limit (ulimit -n)"],
]);

/** What to throw instead of an error of writing the files in `dir`: SatyapanError `bad-file`; others stay as they are. */
export function unwritable(dir: string, error: unknown): unknown {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return error;
  const code = String(error.code);
  const why = WHY.get(code);
  if (why === undefined) return error;
  const path = "path" in error && typeof error.path === "string" ? error.path : dir;
  const message = `the audit log's files wait: ${path} ${why} (${code}); until then the entries stay in Redis`;
  return new SatyapanError(ErrorCode.BAD_FILE, message, { cause: error });
}
