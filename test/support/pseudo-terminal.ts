import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { readTestEnv } from "./env.ts";

/** Whether this machine has util-linux's script(1). */
export const hasScript = readTestEnv()
  .machine.path.split(delimiter)
  .some((folder) => existsSync(join(folder, "script")));

/** What runs `command` (a line for the shell) on a terminal of this size; Ctrl-C is typed as `\u0003`. */
export function onTerminal(command: string, columns: number, rows = 40): readonly [string, ...string[]] {
  return ["script", "-qefc", `stty cols ${columns} rows ${rows}; exec ${command}`, "/dev/null"];
}
