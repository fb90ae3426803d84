import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A list becomes a table `{'a', 'b'}`, a set one that is asked by name, `{a=true, b=true}`. */
export type LuaValue = string | number | readonly (string | number)[] | ReadonlySet<string>;

export interface LuaPartOptions {
  /** Parts whose functions and constants it uses; each stands once in a script, before who needs it. */
  readonly needs?: readonly LuaPart[];
  /** Policy that TypeScript knows: `local NAME = value`. The file says which it takes: `-- constants: NAME, NAME`. */
  readonly constants?: Readonly<Record<string, LuaValue>>;
}

/** Where a line of a script comes from. `line` null: it was written by TypeScript. */
export interface LuaOrigin {
  readonly file: string;
  readonly line: number | null;
  readonly text: string;
  /** It does no more than name this number or text. */
  readonly literal?: { readonly name: string; readonly text: string };
}

const DECLARATION = /^-- constants: (.+)$/;
/** A text of the script, whatever stands in it, or a word that may be a constant. */
const WORD = /'(?:[^'\\]|\\.)*'|\b[A-Z][A-Z0-9_]*\b/g;
/** Redis keeps every script that it knows: neither comments nor blank lines go there. */
const SILENT = /^\s*(--.*)?$/;

/** One `.lua` file, beside the TypeScript that gives it its constants. Throws where the file is missing or takes others. */
export class LuaPart {
  readonly file: string;
  readonly #needs: readonly LuaPart[];
  readonly #lines: readonly LuaOrigin[];

  /** `written`: further lines that stand before the file's own; `closing`: those behind them, of what the last of the others begins. */
  constructor(
    url: URL,
    { needs = [], constants = {} }: LuaPartOptions = {},
    written: readonly string[] = [],
    closing: readonly string[] = [],
  ) {
    this.file = fileURLToPath(url);
    this.#needs = needs;
    const lines = read(this.file).split("\n");
    checkConstants(this.file, lines, Object.keys(constants));
    this.#lines = [
      ...Object.entries(constants).map(([name, value]) => constantLine(this.file, name, value)),
      ...written.map((text) => ({ file: this.file, line: null, text })),
      ...lines.map((text, index) => {
        // Of a statement only the first line begins in the first column (`usedLines`).
        return { file: this.file, line: index + 1, text: closing.length === 0 ? text : `  ${text}` };
      }),
      ...closing.map((text) => ({ file: this.file, line: null, text })),
    ].filter(({ text }) => !SILENT.test(text));
  }

  /** All that Redis is sent, line by line: what it needs first. */
  assembled(): readonly LuaOrigin[] {
    return [...withNeeds(this, new Set())].flatMap((part) => part.#lines);
  }

  get needs(): readonly LuaPart[] {
    return this.#needs;
  }
}

/** The source as Redis gets it, line by line: numbers and texts stand where their names did, because local variables would cost each call. */
export function foldedSource(lines: readonly LuaOrigin[]): string {
  const literals = new Map(
    lines.flatMap(({ literal }) => (literal === undefined ? [] : [[literal.name, literal.text]])),
  );
  return lines
    .map(({ literal, text }) =>
      literal === undefined ? text.replaceAll(WORD, (word) => literals.get(word) ?? word) : "",
    )
    .join("\n");
}

function constantLine(file: string, name: string, value: LuaValue): LuaOrigin {
  const text = luaLiteral(value);
  const line = { file, line: null, text: `local ${name} = ${text}` };
  return typeof value === "object"
    ? line
    : { ...line, literal: { name, text: text.startsWith("-") ? `(${text})` : text } };
}

function withNeeds(part: LuaPart, known: Set<LuaPart>): Set<LuaPart> {
  for (const needed of part.needs) if (!known.has(needed)) withNeeds(needed, known);
  return known.add(part);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Error(`the Lua file ${file} is missing: this installation is incomplete`, { cause });
  }
}

function checkConstants(file: string, lines: readonly string[], given: readonly string[]): void {
  const declared = lines.flatMap((line) => DECLARATION.exec(line)?.[1]?.split(", ") ?? []);
  const lacking = declared.filter((name) => !given.includes(name));
  const surplus = given.filter((name) => !declared.includes(name));
  if (lacking.length > 0) throw new Error(`${file} takes constants that it is not given: ${lacking.join(", ")}`);
  if (surplus.length > 0) throw new Error(`${file} is given constants that it does not declare: ${surplus.join(", ")}`);
}

function luaLiteral(value: LuaValue): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return luaString(value);
  const fields = "size" in value ? [...value].map((name) => `[${luaString(name)}]=true`) : value.map(luaLiteral);
  return `{${fields.join(", ")}}`;
}

function luaString(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
}
