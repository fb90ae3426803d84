import type { FieldProblem } from "../../src/operations/input-error.ts";
import type { ImportedRow } from "./import-file.ts";
import { formOf } from "../rows/shown-cell.ts";

/** Rows that are mended in the same way. */
export interface ProblemGroup {
  readonly field: string;
  /** The file's own name for it; null: it has no such column. */
  readonly column: string | null;
  /** What is wrong, and what it has to be. */
  readonly message: string;
  readonly count: number;
  /** The first of them, with the form of what stands there. */
  readonly first: readonly ProblemPlace[];
}

export interface ProblemPlace {
  readonly row: number;
  readonly line: number;
  readonly form: string;
}

/** Of each group, so many rows are named. */
const NAMED = 5;
/** There are far fewer ways to be wrong; what is beyond is counted together. */
const MOST_GROUPS = 200;

interface Growing extends ProblemGroup {
  count: number;
  readonly first: ProblemPlace[];
}

/** What is wrong with a file's rows, by what to do about it. Memory does not grow with the rows. */
export class ProblemGroups {
  readonly #groups = new Map<string, Growing>();

  add({ row, columns, source, problems }: ImportedRow): void {
    for (const problem of problems) {
      const at = columns.findIndex(({ use }) => (use.kind === "field" ? use.field : use.kind) === problem.field);
      const group = this.#group(problem, columns[at]?.name ?? null);
      group.count++;
      if (group.first.length < NAMED)
        group.first.push({ row, line: source.line, form: formOf(source.cells[at] ?? "") });
    }
  }

  /** The most frequent first. */
  list(): ProblemGroup[] {
    return Array.from(this.#groups.values()).toSorted((one, other) => other.count - one.count);
  }

  #group({ field, message }: FieldProblem, column: string | null): Growing {
    const key = JSON.stringify([field, message]);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const isFull = this.#groups.size >= MOST_GROUPS;
    const group = isFull ? this.#other() : { field, column, message, count: 0, first: [] };
    this.#groups.set(isFull ? "" : key, group);
    return group;
  }

  #other(): Growing {
    return this.#groups.get("") ?? { field: "", column: null, message: "other problems", count: 0, first: [] };
  }
}
