import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGES = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md", { cwd: ROOT })];
/** A path within a folder of ours, as far as it is one: no placeholder, no glob. */
const PATH =
  /(?<![\w./@-])(?:\.\/)?((?:bench|bin|chaos|demo|deploy|docs|examples|lint|producers|simulator|src|test|workers)\/[\w.@/-]+\.(?:ts|js|md|csv|json|ya?ml|acl|ndjson))(?![\w*])/g;

function pathsIn(text: string): string[] {
  return [...text.matchAll(PATH)].map(([, path = ""]) => path);
}

describe("the pages", () => {
  it.each(PAGES)("%s names no file that is not there", (page) => {
    const paths = pathsIn(readFileSync(`${ROOT}${page}`, "utf8"));
    expect(paths.filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([]);
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
