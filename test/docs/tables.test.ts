import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FLOWS } from "../../src/flows/flows.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { OUTCOME_KINDS } from "../../src/outcomes/outcome.ts";

/** The rows of a page's tables that begin with a name in code, by that name. */
function rowsOf(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  return new Map(
    Array.from(text.matchAll(/^\| `([^`]+)` +\| (.*?) *\|$/gm), ([, name = "", rest = ""]) => [name, rest]),
  );
}

it("README.md has each operation with the path of its call, none that there is not, and each outcome", () => {
  const rows = rowsOf("README.md");
  const calls = [...rows].filter(([name]) => name.includes("."));
  const paths = calls.map(([name, call]) => [name, /^(?:GET|POST|PUT) `(.*)`$/.exec(call)?.[1]]);
  expect(Object.fromEntries(paths)).toEqual(Object.fromEntries(OPERATIONS.map(({ name, path }) => [name, path])));
  expect([...rows.keys()]).toEqual(expect.arrayContaining([...OUTCOME_KINDS]));
});

it("docs/flows.md has each flow, and none that there is not", () => {
  const named = [...rowsOf("docs/flows.md").keys()].filter((name) => name.includes("."));
  expect(named.toSorted()).toEqual(FLOWS.map(({ name }) => name).toSorted());
});
