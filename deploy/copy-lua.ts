import { copyFileSync, globSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

// The end of `npm run build`: each Lua file stands beside the JavaScript that reads it.
for (const file of globSync("{src,workers,producers}/**/*.lua")) {
  const copy = join("dist", file);
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(file, copy);
}
