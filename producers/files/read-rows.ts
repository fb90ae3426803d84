import { InputError } from "../../src/operations/input-error.ts";
import { inputOfRow } from "../../src/operations/row-input.ts";
import { badFile } from "./decode-text.ts";
import { type Content, readTable, type TableRow } from "./read-table.ts";

/** One row of a file as the input that it means: not checked yet. */
export interface Row {
  /** Where it begins: from 1, the header's line included. */
  readonly line: number;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The rows of a file whose header has the names of fields: see `readTable`. Throws SatyapanError `bad-file`. */
export async function* readRows(path: string | null, content: Content): AsyncGenerator<Row> {
  for await (const row of readTable(path, content)) {
    yield { line: row.line, input: inputOf(path ?? "standard input", row) };
  }
}

function inputOf(path: string, { headerLine, columns, cells }: TableRow): Row["input"] {
  // A column named `__proto__` is a field like any other: it must not get lost here.
  const record = Object.fromEntries(columns.map((name, column) => [name, cells[column]]));
  if (headerLine === null) return record;
  try {
    return inputOfRow(record as Record<string, string>);
  } catch (error) {
    if (error instanceof InputError) throw badFile(path, headerLine, error.message);
    throw error;
  }
}
