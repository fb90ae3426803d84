#!/usr/bin/env node
// Starts the command on Node 24 or newer: in a clone that is the one `npm ci` brought (dev dependency "node"), whatever
// Node is on the PATH. Plain JavaScript that old versions can read.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

// Soon, and again in main.ts: `ps` shows arguments to everybody, and an input is a person's data.
process.title = "satyapan";

const NEEDED = 24;
const source = new URL("./main.ts", import.meta.url);
const own = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= NEEDED) {
  module.enableCompileCache?.(); // half of a command's start is compiling
  // A clone runs its sources as they are; an installed package holds what `npm run build` made of them.
  await import(existsSync(source) ? source.href : new URL("../dist/bin/main.js", import.meta.url).href);
} else if (existsSync(own)) {
  const child = spawn(own, process.argv.slice(1), { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
    process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
} else if (existsSync(new URL("../node_modules/node/package.json", import.meta.url))) {
  process.stderr.write(
    `satyapan needs Node ${NEEDED} or newer, this is ${process.version}; the one it brings is not there because it was installed with --ignore-scripts: \`npm rebuild node --ignore-scripts=false\` brings it\n`,
  );
  process.exitCode = 2;
} else {
  process.stderr.write(
    `satyapan needs Node ${NEEDED} or newer, this is ${process.version}; run \`npm ci\` here or install it\n`,
  );
  process.exitCode = 2;
}
