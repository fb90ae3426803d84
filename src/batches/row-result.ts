import { z } from "zod";
import { NO_CODE } from "./row-reasons.ts";
import { isEnd, type RowState } from "./row-state.ts";

/** What is kept of a row that ended: references and masks, nothing in clear. Times in ms. */
export interface KeptResult {
  /** What a script can decide by: the provider's code where it gave one, else the outcome's name; null: it was not called. */
  readonly code: string | null;
  readonly reason: string | null;
  readonly attempts: number;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly clientRefId: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** A row of a batch's results, as scripts get it. */
export interface RowResult {
  readonly row: number;
  readonly ref: string | null;
  readonly state: RowState;
  /** How often it came back mended. The file that mends it says the same, so that an older one changes nothing. */
  readonly repaired: number;
  /** How often its person was asked again for a code, because nobody answered. */
  readonly asked_again: number;
  /** These are of a row that ended. */
  readonly code: string | null;
  readonly reason: string | null;
  readonly attempts: number;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly client_ref_id: string | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** The file's own columns, masked. */
  readonly columns: Readonly<Record<string, string>>;
}

const Kept = z.tuple([
  z.string().nullable(),
  z.string().nullable(),
  z.number(),
  z.record(z.string(), z.unknown()).nullable(),
  z.string().nullable(),
  z.number().nullable(),
  z.number().nullable(),
]);
const Columns = z.tuple([z.string().nullable(), z.record(z.string(), z.string())]);

/** A list, because names would be repeated for every row. */
export function packResult(kept: KeptResult): readonly unknown[] {
  const { code, reason, attempts, result, clientRefId, startedAt, endedAt } = kept;
  return [code, reason, attempts, result, clientRefId, startedAt, endedAt];
}

/** What an `out` chunk holds at a row's place: null where the row has not ended, or what cannot be read. */
function unpackResult(value: unknown): KeptResult | null {
  const read = Kept.safeParse(value);
  if (!read.success) return null;
  const [code, reason, attempts, result, clientRefId, startedAt, endedAt] = read.data;
  return { code, reason, attempts, result, clientRefId, startedAt, endedAt };
}

/** The code of what an `out` chunk holds at a row's place; null: that row had not ended. */
export function codeIn(value: unknown): string | null {
  const kept = unpackResult(value);
  return kept === null ? null : (kept.code ?? NO_CODE);
}

/** What a `columns` chunk holds at a row's place. */
function unpackColumns(value: unknown): {
  readonly ref: string | null;
  readonly columns: Readonly<Record<string, string>>;
} {
  const read = Columns.safeParse(value);
  const [ref, columns] = read.success ? read.data : [null, {}];
  return { ref, columns };
}

/** `columns`, `out`: what the chunks hold at its place; of a row that runs again and has not ended, `out` is how it ended before. */
export function rowResult(
  { row, state, repaired, asked_again }: Pick<RowResult, "row" | "state" | "repaired" | "asked_again">,
  columns: unknown,
  out: unknown,
): RowResult {
  const kept = isEnd(state) ? unpackResult(out) : null;
  const iso = (ms: number | null | undefined): string | null =>
    ms === null || ms === undefined ? null : new Date(ms).toISOString();
  return {
    ...{
      row,
      state,
      repaired,
      asked_again,
      code: kept?.code ?? null,
      reason: kept?.reason ?? null,
      attempts: kept?.attempts ?? 0,
    },
    ...{ result: kept?.result ?? null, client_ref_id: kept?.clientRefId ?? null },
    ...{ started_at: iso(kept?.startedAt), ended_at: iso(kept?.endedAt) },
    ...unpackColumns(columns),
  };
}
