// What `import "satyapan"` gives: in a clone the sources as they are, in an installed package what `npm run build` made of
// them. Plain JavaScript that old versions of Node can read, so that they say what is missing.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const NEEDED = 24;
if (Number(process.versions.node.split(".")[0]) < NEEDED) {
  throw new Error(
    `satyapan needs Node ${NEEDED} or newer, this is ${process.version}; in a clone \`npx node PROGRAM\` runs the one it brings`,
  );
}

const source = new URL("../producers/index.ts", import.meta.url);
const built = new URL("../dist/producers/index.js", import.meta.url);
// Not by a top-level `await`: `require("satyapan")` of a CommonJS program could not wait for it.
/** @type {unknown} */
const loaded = createRequire(import.meta.url)(fileURLToPath(existsSync(source) ? source : built));
const library = /** @type {typeof import("../producers/index.ts")} */ (loaded);

export const { createClient, SatyapanError, BadFileError, BadRowsError, ErrorCode, InputsError, SamePersonError } =
  library;
