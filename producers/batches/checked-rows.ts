import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import { batchRow, type CheckedRow, RowChecks, type RowRules } from "../rows/row-checks.ts";
import { fieldOfName } from "../../src/operations/synonyms.ts";
import { isMasked } from "../../src/secrets/mask.ts";
import { shownCell, shownField, textOf } from "../rows/shown-cell.ts";
import type { MendedRow } from "./batch-repair.ts";
import type { KeptRow } from "./kept-rows.ts";
import { BadRows } from "./bad-rows.ts";
import { isJsonObject } from "../../src/base/json.ts";

/** One row of a batch, as its caller has it. */
export interface RowToSubmit<Input> {
  readonly input: Input;
  /** The caller's own reference, kept and shown in clear: nothing personal. Up to 64 characters. */
  readonly ref?: string;
  /** What else the results are to show of the row, beside its input's fields. What looks like a person's number is hidden. */
  readonly columns?: Readonly<Record<string, string>>;
}

export type RowsToSubmit<Input> = Iterable<RowToSubmit<Input>> | AsyncIterable<RowToSubmit<Input>>;

/** A row that somebody mended: its whole input, not only what is new. A `ref` and `columns` that are not given stay as they are. */
export interface RowToRepair extends RowToSubmit<Readonly<Record<string, unknown>>> {
  /** Its number in the batch, as the results say it. */
  readonly row: number;
  /** How often it came back before, as the results say it: a row that did since is left as it is. Default 0. */
  readonly repaired?: number;
}

export interface RowsWishes {
  /** Bad rows are left out, as `skipped` with the reason in the results, instead of nothing being accepted. Default false. */
  readonly skipBad?: boolean;
  /** Aborted, nothing is accepted. */
  readonly signal?: AbortSignal;
}

/**
 * The rows as a batch takes them in, which accepts none before the last one came. Throws BadRowsError after all were gone through.
 */
export async function* checkedRows(
  rows: RowsToSubmit<unknown>,
  rules: RowRules,
  { skipBad = false, signal }: RowsWishes,
): AsyncGenerator<BatchRow> {
  const checks = new RowChecks(rules);
  const bad = new BadRows();
  let [row, good] = [0, 0];
  for await (const given of rows) {
    if (signal?.aborted === true)
      throw new SatyapanError(ErrorCode.INTERRUPTED, "the submission was stopped; nothing was accepted");
    const checked = check(checks, ++row, given);
    if (checked.state === "skipped") bad.add(checked);
    else good++;
    // Where nothing will be accepted, the rest is looked at, and not taken in.
    if (bad.count === 0 || skipBad) yield batchRow(checked, columnsOf(checked, given));
  }
  if (bad.count > 0 && (!skipBad || good === 0)) throw bad.error(row);
}

/** The rows as their batch takes them back; `kept`: what it has of them. Throws BadRowsError. */
export function mendedRows(
  rows: readonly RowToRepair[],
  rules: RowRules,
  kept: ReadonlyMap<number, Pick<KeptRow, "ref" | "columns">>,
): MendedRow[] {
  const checks = new RowChecks(rules);
  const bad = new BadRows();
  const mended = rows.map((given): MendedRow => {
    const { row, repaired = 0 } = given;
    const before = kept.get(row);
    const whole = given.ref === undefined && before?.ref ? { ...given, ref: before.ref } : given;
    const checked = check(checks, row, whole);
    if (checked.state === "skipped") bad.add(checked);
    const { ref, subject, input } = checked;
    const shown = columnsOf(checked, given);
    const columns = given.columns === undefined ? withKept(shown, before?.columns ?? {}) : shown;
    // One person twice: whose turn comes first is called.
    return { row, repaired, ref, subject, input, columns };
  });
  if (bad.count > 0) throw bad.error(rows.length);
  return mended;
}

function check(checks: RowChecks, row: number, { input, ref }: RowToSubmit<unknown>): CheckedRow {
  if (!isJsonObject(input)) {
    const problems = [{ field: "input", message: "must be an object" }];
    return { row, ref: null, state: "skipped", input: {}, subject: null, first: null, problems };
  }
  const own = textOf(ref);
  return checks.check(row, input, own === "" ? null : own);
}

/** The fields as they were given, for the results, and what the caller adds: without what is personal. */
function columnsOf(checked: CheckedRow, { input, columns = {} }: RowToSubmit<unknown>): Record<string, string> {
  const fields = isJsonObject(input) ? Object.entries(input).flatMap(inParts) : [];
  return Object.fromEntries([
    ...fields.map(([field, value]) => [shownCell(field), shownField(textOf(value), checked.input[field])] as const),
    ...Object.entries(columns).map(([name, text]) => [shownCell(name), shownCell(textOf(text))] as const),
  ]);
}

/** The fields as they are now, by the names that the row has for them, and its other columns as they were. */
function withKept(
  shown: Readonly<Record<string, string>>,
  kept: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = Object.keys(shown);
  const fields = new Map(Object.keys(kept).map((name) => [name, fieldOfName(name, names)]));
  const renamed = new Map([...fields].flatMap(([name, field]) => (field === null ? [] : [[field, name] as const])));
  const now = Object.entries(shown).map(([field, text]) => [renamed.get(field) ?? field, text] as const);
  const others = Object.entries(kept).filter(([name]) => (fields.get(name) ?? null) === null);
  // Behind the fields: an operator rings the first number that is shown, and this one may be of before.
  const [masked, clear] = [others.filter(([, text]) => isMasked(text)), others.filter(([, text]) => !isMasked(text))];
  return Object.fromEntries([...clear, ...now, ...masked]);
}

/** `consent` as the columns that a file has of it. */
function inParts([field, value]: [string, unknown]): [string, unknown][] {
  if (!isJsonObject(value)) return [[field, value]];
  return Object.entries(value).map(([part, inner]) => [`${field}.${part}`, inner]);
}
