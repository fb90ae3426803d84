import { type ChildProcess, spawn } from "node:child_process";

/** Ends what it watches over when this process is gone, whatever befell it. */
export interface Watchdog {
  /** The process has ended: its number may be another's from now on. */
  release(): void;
}

/** For processes that SIGKILL of this one would leave behind: a shell whose own input ends with this process kills them, also one that is frozen. */
export function watchOver(pid: number): Watchdog {
  return whenGone(`kill -9 ${pid}`);
}

/**
 * For a folder of this process and of those that others watch over. Looked at again for a second: whoever is killed may still
 * have written into it.
 */
export function watchOverFolder(path: string): Watchdog {
  return whenGone('for look in 1 2 3 4 5; do rm -rf -- "$1"; sleep 0.2; done', path);
}

/** `argument` is `$1` in it. */
function whenGone(command: string, argument = ""): Watchdog {
  const stdio = ["pipe", "ignore", "ignore"] as const;
  const args = ["-c", `cat; ${command}`, "sh", argument];
  const shell = spawn("sh", args, { cwd: "/", detached: true, stdio: [...stdio] });
  shell.on("error", () => {}); // without a shell it is as before
  shell.stdin.on("error", () => {});
  shell.unref();
  return { release: () => void shell.kill("SIGKILL") };
}

/** The same for a child, until it ends. */
export function watchOverChild(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const watchdog = watchOver(child.pid);
  child.once("exit", () => watchdog.release());
}
