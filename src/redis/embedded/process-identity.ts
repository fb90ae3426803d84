import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { z } from "zod";

/** One process, told apart from a later one that was given the same number. */
export const ProcessIdentity = z.object({ pid: z.int().positive(), startedAt: z.string().min(1) });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** Null: no such process, or one that has ended and is not yet collected by its parent. */
export function identityOf(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === "linux" ? startOnLinux(pid) : startByPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/** False too where its number has been given to another process. Knows only processes of this machine (and PID namespace). */
export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startedAt === identity.startedAt;
}

/** Clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)); the name in field 2 may hold spaces and brackets. */
function startOnLinux(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  return state === "Z" || state === "X" ? null : (fields[19] ?? null);
}

/** To the second. Its environment is fixed: the locale decides how `ps` writes a date. */
function startByPs(pid: number): string | null {
  try {
    const options = { encoding: "utf8", env: { LC_ALL: "C", PATH: "/bin:/usr/bin" }, stdio: "pipe" } as const;
    const line = execFileSync("ps", ["-o", "stat=", "-o", "lstart=", "-p", String(pid)], options).trim();
    const [state = "Z", ...start] = line.split(/\s+/);
    return state.startsWith("Z") || start.length === 0 ? null : start.join(" ");
  } catch {
    return null;
  }
}
