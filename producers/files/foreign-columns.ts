import { findOperation, OPERATIONS } from "../../src/operations/catalogue.ts";
import type { Row } from "./read-rows.ts";

/**
 * One table may serve several operations: the rows without the fields that this operation does not take and another does.
 * A field that none takes stays, and is refused as unknown.
 */
export function withoutForeign(name: string, rows: readonly Row[]): { readonly rows: Row[]; readonly left: string[] } {
  const { input } = findOperation(name);
  const foreign = new Set(OPERATIONS.flatMap((operation) => Object.keys(operation.input.shape)));
  foreign.delete("client_ref_id"); // the entry rules say why it cannot be given
  for (const own of Object.keys(input.shape)) foreign.delete(own);
  const left = new Set<string>();
  const kept = rows.map(({ line, input: given }) => {
    const fields = Object.entries(given).filter(([field]) => {
      if (foreign.has(field)) left.add(field);
      return !foreign.has(field);
    });
    return { line, input: Object.fromEntries(fields) };
  });
  return { rows: kept, left: [...left] };
}
