import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGES = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md", { cwd: ROOT })];
const SIGNS = globSync("{src,producers,workers}/**/README.md", { cwd: ROOT });
/** A path within a folder of ours, as far as it is one: no placeholder, no glob. */
const PATH =
  /(?<![\w./@-])(?:\.\/)?((?:bench|bin|chaos|demo|deploy|docs|examples|lint|producers|simulator|src|test|workers)\/[\w.@/-]+\.(?:ts|js|md|csv|json|ya?ml|acl|ndjson))(?![\w*])/g;

function pathsIn(text: string): string[] {
  return [...text.matchAll(PATH)].map(([, path = ""]) => path);
}

/** What a room's sign names: a file of the room, or by its path from the root; no glob. */
function filesIn(text: string): string[] {
  return [...text.matchAll(/`([\w./-]+\.(?:ts|lua|md|json))`/g)].map(([, name = ""]) => name);
}

describe("the pages", () => {
  it.each(PAGES)("%s names no file that is not there", (page) => {
    const paths = pathsIn(readFileSync(`${ROOT}${page}`, "utf8"));
    expect(paths.filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([]);
  });

  it.each(SIGNS)("%s names no file of its room that is not there", (sign) => {
    const names = filesIn(readFileSync(`${ROOT}${sign}`, "utf8"));
    const places = [join(ROOT, dirname(sign)), ROOT];
    expect(names.filter((name) => !places.some((place) => existsSync(join(place, name))))).toEqual([]);
  });

  it("name files, which are found in links, in code and in prose", () => {
    expect(pathsIn("see [it](docs/limits.md), `src/base/gone.ts` and docs/x.md.")).toEqual([
      "docs/limits.md",
      "src/base/gone.ts",
      "docs/x.md",
    ]);
    expect(pathsIn(readFileSync(`${ROOT}docs/architecture.md`, "utf8")).length).toBeGreaterThan(30);
  });
});
