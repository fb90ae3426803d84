import { type ChildProcess, spawn } from "node:child_process";

/** Ends what it watches over when this process is gone, whatever befell it. */
export interface Watchdog {
  /** The process has ended: its number may be another's from now on. */
  release(): void;
}

/** For processes that SIGKILL of this one would leave behind: a shell whose own input ends with this process kills them, also one that is frozen. */
export function watchOver(pid: number): Watchdog {
  const stdio = ["pipe", "ignore", "ignore"] as const;
  const shell = spawn("sh", ["-c", `cat; kill -9 ${pid}`], { detached: true, stdio: [...stdio] });
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
