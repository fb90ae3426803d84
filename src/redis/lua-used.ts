import type { LuaOrigin } from "./lua-source.ts";

/** What begins a statement that only gives names: a function, or a value that is made without calling anything. */
const FUNCTION = /^local function (\w+)/;
const NAMES = /^local ([\w, ]+?)(?: = (.*))?$/;
/** Words of a line that may be names; what stands in a text is none. */
const WORD = /'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*/g;

interface Statement {
  readonly lines: readonly LuaOrigin[];
  /** What it names; null: it does something. */
  readonly names: readonly string[] | null;
}

/**
 * A script without the functions and values that it never comes to: of each that stands in it Redis makes an object whenever it runs,
 * which costs it about half a microsecond. Every statement begins in the first column, and its further lines are indented or close it.
 */
export function usedLines(lines: readonly LuaOrigin[]): readonly LuaOrigin[] {
  const used = new Set<string>();
  const kept: Statement[] = [];
  // Who uses a name stands behind it.
  for (const statement of statementsOf(lines).toReversed()) {
    const { names } = statement;
    if (names !== null && !names.some((name) => used.has(name))) continue;
    for (const { text } of statement.lines) for (const word of wordsOf(text)) used.add(word);
    kept.push(statement);
  }
  return kept.toReversed().flatMap(({ lines: own }) => own);
}

function statementsOf(lines: readonly LuaOrigin[]): Statement[] {
  const blocks: LuaOrigin[][] = [];
  for (const line of lines) {
    const last = blocks.at(-1);
    if (last === undefined || !/^(?:\s|end\b|else|[})])/.test(line.text)) blocks.push([line]);
    else last.push(line);
  }
  return blocks.map((own) => ({ lines: own, names: namesOf(own) }));
}

function namesOf(lines: readonly LuaOrigin[]): string[] | null {
  const [first, ...others] = lines.map(({ text }) => text);
  const name = FUNCTION.exec(first ?? "")?.[1];
  if (name !== undefined) return [name];
  const [, names, value = ""] = NAMES.exec(first ?? "") ?? [];
  if (names === undefined || [value, ...others].some((text) => text.replaceAll(WORD, "").includes("("))) return null;
  return names.split(", ");
}

function wordsOf(text: string): string[] {
  return text.match(WORD)?.filter((word) => !word.startsWith("'")) ?? [];
}
