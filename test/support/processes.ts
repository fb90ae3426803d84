import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The numbers of the Redis servers at this socket, by their titles. Linux only. */
export function serversAt(socket: string): number[] {
  const numbers = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return numbers.filter((pid) => titleOf(pid).includes(`unixsocket:${socket}`)).map(Number);
}

/** The numbers of the processes that run in this folder or below it. Linux only. */
export function processesIn(folder: string): number[] {
  const numbers = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return numbers.filter((pid) => `${workingFolderOf(pid)}/`.startsWith(`${folder}/`)).map(Number);
}

/** The process group, which Ctrl-C in its terminal reaches: field 5 of `/proc/PID/stat` (proc(5)). Linux only. */
export function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}

/** Empty: it has ended meanwhile. */
function titleOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Of a folder that is gone with ` (deleted)` behind it. Empty: the process has ended meanwhile, or is somebody else's. */
function workingFolderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}
