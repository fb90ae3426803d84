import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Redis's; any Valkey is newer (design §7, facts/bullmq §1.1). */
export const MINIMUM_VERSION = "6.2";

/** Compares `major.minor`; a version that cannot be read is not enough. */
export function isAtLeastMinimum(version: string): boolean {
  const [major = Number.NaN, minor = Number.NaN] = version.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 2);
}

/** What `PROGRAM --version` of a server says, for example `7.0.15`; null: it is not there, or does not run on this machine. */
export async function versionOfProgram(program: string): Promise<string | null> {
  try {
    const { stdout } = await execute(program, ["--version"], { timeout: 5_000 });
    return /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}
