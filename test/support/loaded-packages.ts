import { writeSync } from "node:fs";
import { registerHooks } from "node:module";

// For `node --import`: at the end, one line on stderr with the packages that the process loaded modules of.
const packages = new Set<string>();
registerHooks({
  load: (url, context, next) => {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
    if (name !== undefined) packages.add(name);
    return next(url, context);
  },
});
process.on("exit", () => writeSync(2, `loaded: ${[...packages].toSorted().join(" ")}\n`));
