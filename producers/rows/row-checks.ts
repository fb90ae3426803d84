import type { BatchRow } from "../../src/batches/batch-row.ts";
import type { Settings } from "../../src/config/settings.ts";
import { type EntryRules, parseInput } from "../../src/operations/entry-rules.ts";
import { type FieldProblem, InputError } from "../../src/operations/input-error.ts";
import type { InputOwner, Operation } from "../../src/operations/operation.ts";
import { nestDotted } from "../../src/operations/row-input.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import type { OpenInput } from "../../src/providers/call.ts";
import { FirstRows } from "../jobs/first-rows.ts";
import { referenceProblem } from "./own-reference.ts";

/** One row, checked. */
export interface CheckedRow {
  /** From 1: the header of a file is none. */
  readonly row: number;
  readonly ref: string | null;
  /** `duplicate`: the person stands in an earlier row; `skipped`: the row is bad. */
  readonly state: BatchRow["state"];
  /** Its personal values as `Secret`; empty where the row is bad. */
  readonly input: OpenInput;
  /** Keyed hash of the person, or null. */
  readonly subject: string | null;
  /** The earlier row of the same person; null: none. */
  readonly first: number | null;
  readonly problems: readonly FieldProblem[];
}

export interface RowRules {
  readonly owner: InputOwner & Pick<Operation, "subject">;
  readonly settings: Settings;
  readonly now: number;
}

/** Rows of one batch, checked one after the other, wherever they come from. Keeps of each but whose it is. */
export class RowChecks {
  readonly #owner: RowRules["owner"];
  readonly #settings: Settings;
  readonly #rules: EntryRules;
  readonly #persons = new FirstRows();

  constructor({ owner, settings, now }: RowRules) {
    this.#owner = owner;
    this.#settings = settings;
    this.#rules = { now, aadhaarChecksum: settings.aadhaarChecksum, consentRequired: settings.consentRequired };
  }

  check(row: number, raw: Readonly<Record<string, unknown>>, ref: string | null): CheckedRow {
    const checked = this.#parse(raw);
    const wrongRef = ref === null ? null : referenceProblem(ref, raw);
    const problems = [
      ...(checked instanceof InputError ? checked.fields : []),
      ...(wrongRef === null ? [] : [wrongRef]),
    ];
    // A reference that may not be shown is not kept either.
    const about = { row, ref: wrongRef === null ? ref : null, problems };
    if (problems.length > 0 || checked instanceof InputError) {
      return { ...about, state: "skipped", input: {}, subject: null, first: null };
    }
    const subject = subjectOf(this.#settings.subjectKey, this.#owner, checked);
    const first = subject === null ? row : this.#persons.add(subject, row);
    const isFirst = first === row;
    return {
      ...about,
      state: isFirst ? "waiting" : "duplicate",
      input: checked,
      subject,
      first: isFirst ? null : first,
    };
  }

  #parse(raw: Readonly<Record<string, unknown>>): OpenInput | InputError {
    try {
      return parseInput(this.#owner, nestDotted(raw), this.#rules);
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
  }
}

/** `columns`: without what is personal in them. */
export function batchRow(checked: CheckedRow, columns: Readonly<Record<string, string>>): BatchRow {
  const { row, ref, subject, input, state, first } = checked;
  const about = { row, ref, subject, columns, state };
  if (state === "waiting") return { ...about, input };
  return first === null ? { ...about, input: {}, reason: problemsOf(checked) } : { ...about, input: {}, first };
}

/** Without any value of the row. */
export function problemsOf({ problems }: Pick<CheckedRow, "problems">): string {
  return problems.map(({ field, message }) => `${field}: ${message}`).join("; ");
}
