import { readdirSync, readFileSync } from "node:fs";

/** The numbers of the Redis servers at this socket, by their titles. Linux only. */
export function serversAt(socket: string): number[] {
  const numbers = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return numbers.filter((pid) => titleOf(pid).includes(`unixsocket:${socket}`)).map(Number);
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
