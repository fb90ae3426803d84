import { parse } from "csv-parse/sync";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { resultLines } from "../../../producers/imports/result-lines.ts";
import type { RowResult } from "../../../src/batches/row-result.ts";
import { ROW_STATES } from "../../../src/batches/row-state.ts";

function result(row: number, columns: Readonly<Record<string, string>>, other: Partial<RowResult> = {}): RowResult {
  return {
    ...{ row, ref: null, state: "failed", code: null, reason: null, attempts: 0, result: null, client_ref_id: null },
    ...{ started_at: null, ended_at: null, repaired: 0, asked_again: 0, columns, ...other },
  };
}

async function* each(rows: readonly RowResult[]): AsyncGenerator<RowResult> {
  for (const row of rows) yield await Promise.resolve(row);
}

const csvOf = async (rows: readonly RowResult[]): Promise<string> =>
  (await Array.fromAsync(resultLines("b1", each(rows), "csv"))).join("");

it("is a table whose every cell is what it was, and none a formula, whatever stands in the file", async () => {
  const text = fc.string({
    unit: fc.constantFrom("=", "+", "-", "@", "\t", "\r", "\n", " ", '"', ",", "'", "a", "1"),
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text, fc.constantFrom(...ROW_STATES)), { minLength: 1 }), async (rows) => {
      const given = rows.map(([a, b, state], index) => result(index + 1, { A: a, B: b }, { state, ref: b, reason: a }));
      const csv = await csvOf(given);
      expect(csv.startsWith("\uFEFF")).toBe(true);
      const records: Record<string, string>[] = parse(csv, { columns: true, bom: true });
      expect(records).toHaveLength(rows.length);
      for (const [index, record] of records.entries()) {
        const [a, b, state] = rows[index] ?? ["", "", ""];
        for (const cell of Object.values(record)) expect(cell).not.toMatch(/^\s*[=+\-@\t\r\0]/);
        // As it was, or behind an apostrophe.
        for (const [name, was] of [
          ["A", a],
          ["B", b],
          ["ref", b],
        ] as const)
          expect([was, `'${was}`]).toContain(record[name]);
        expect(record["state"]).toBe(state);
      }
    }),
  );
});

it("has no name twice, says what to do, and is a table without rows, too", async () => {
  const [head = "", first = ""] = (await csvOf([result(7, { state: "mine" }, { state: "unknown" })])).split("\r\n");
  expect(head).toMatch(/^\uFEFFstate \(file\),row,ref,state,/);
  expect(first).toContain("satyapan settle b1-7 succeeded|rejected|resend");
  expect(await csvOf([])).toMatch(/^\uFEFFrow,ref,state,/);
});
