import { findOperation, OPERATIONS } from "../../src/operations/catalogue.ts";
import type { Row } from "./read-rows.ts";

/**
 * One table may serve several operations: leaves out of its rows the fields that this operation does not take and another
 * does. A field that none takes stays, and is refused as unknown.
 */
export class ForeignColumns {
  /** Those that were left out so far. */
  readonly left = new Set<string>();
  readonly #foreign: Set<string>;

  constructor(name: string) {
    const { input } = findOperation(name);
    this.#foreign = new Set(OPERATIONS.flatMap((operation) => Object.keys(operation.input.shape)));
    this.#foreign.delete("client_ref_id"); // the entry rules say why it cannot be given
    for (const own of Object.keys(input.shape)) this.#foreign.delete(own);
  }

  without(input: Row["input"]): Row["input"] {
    const fields = Object.entries(input);
    const own = fields.filter(([field]) => !this.#foreign.has(field));
    if (own.length === fields.length) return input;
    for (const [field] of fields) if (this.#foreign.has(field)) this.left.add(field);
    return Object.fromEntries(own);
  }
}
