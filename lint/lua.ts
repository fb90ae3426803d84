import { globSync } from "node:fs";
import { join } from "node:path";
import { faultsOf } from "./lua-report.ts";
import { placeOf } from "./lua-scope.ts";
import { SCRIPTS } from "./lua-scripts.ts";

// `npm run lua`: checks all scripts as Redis gets them. `npm run lua BEGIN` shows one; `npm run lua BEGIN 123` says which line
// Redis means by `user_script:123`.
const [name, line] = process.argv.slice(2);
if (name === undefined) {
  const files = globSync("{src,workers,producers}/**/*.lua").map((file) => join(process.cwd(), file));
  const scripts = Object.values(SCRIPTS);
  const faults = faultsOf(
    scripts.flatMap(({ lines, sent }) => [lines, sent]),
    files,
  );
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.stdout.write(`Lua: ${faults.length} faults in ${scripts.length} scripts of ${files.length} files\n`);
  if (faults.length > 0) process.exitCode = 1;
} else {
  const lines = SCRIPTS[name]?.sent ?? [];
  for (const [index, origin] of lines.entries()) {
    if (line === undefined) process.stdout.write(`${String(index + 1).padStart(4)} ${origin.text}\n`);
    else if (index + 1 === Number(line)) process.stdout.write(`${placeOf(origin)}\n${origin.text}\n`);
  }
}
