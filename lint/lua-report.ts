import type { LuaOrigin } from "../src/redis/lua-source.ts";
import { checkScript } from "./lua-check.ts";
import { placeOf } from "./lua-scope.ts";

/** What is wrong with these scripts, a line each, with the file's own line; `files`: all that there are. */
export function faultsOf(scripts: readonly (readonly LuaOrigin[])[], files: readonly string[]): string[] {
  const faults = new Set<string>();
  const used = new Map<string, boolean>();
  for (const lines of scripts) {
    const place = (line: number): string => placeOf(lines[line - 1] ?? { file: "script", line, text: "" });
    const checked = checkScript(lines);
    for (const { line, text } of checked.faults) faults.add(`${place(line)}: ${text}`);
    for (const { line, name, used: isUsed } of checked.locals) {
      const told = `${place(line)}: ${name} is never used`;
      used.set(told, isUsed || used.get(told) === true);
    }
  }
  for (const [told, isUsed] of used) if (!isUsed) faults.add(told);
  const known = new Set(scripts.flatMap((lines) => lines.map(({ file }) => file)));
  for (const file of files) if (!known.has(file)) faults.add(`${placeOf({ file, line: 1, text: "" })}: in no script`);
  return [...faults].toSorted();
}
