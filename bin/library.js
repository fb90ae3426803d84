// What `import "satyapan"` gives: in a clone the sources as they are, in an installed package what `npm run build` made of
// them. Plain JavaScript that old versions of Node can read, so that they say what is missing.
import { existsSync } from "node:fs";

const NEEDED = 24;
if (Number(process.versions.node.split(".")[0]) < NEEDED) {
  throw new Error(
    `satyapan needs Node ${NEEDED} or newer, this is ${process.version}; in a clone \`npx node PROGRAM\` runs the one it brings`,
  );
}

const source = new URL("../producers/index.ts", import.meta.url);
const built = new URL("../dist/producers/index.js", import.meta.url);
/** @type {unknown} */
const loaded = await import((existsSync(source) ? source : built).href);
const library = /** @type {typeof import("../producers/index.ts")} */ (loaded);

export const { createClient, SatyapanError, BadFileError, BadRowsError, ErrorCode, InputsError, SamePersonError } =
  library;
