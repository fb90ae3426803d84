import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HOME = fileURLToPath(new URL("../..", import.meta.url));

/** A program of another version (`RunningCommand`), unpacked into that folder; null where this checkout does not have its history. */
export function versionOf(commit: string, folder: string): readonly [string, string] | null {
  let packed: Buffer;
  try {
    packed = execFileSync("git", ["archive", commit], { cwd: HOME, stdio: "pipe", maxBuffer: 2 ** 27 });
  } catch {
    return null;
  }
  const before = join(folder, commit);
  mkdirSync(before);
  execFileSync("tar", ["-x"], { cwd: before, input: packed });
  symlinkSync(join(HOME, "node_modules"), join(before, "node_modules"));
  return [process.execPath, join(before, "bin/main.ts")];
}
