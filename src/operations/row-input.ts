import { InputError } from "./input-error.ts";
import { cleanCell } from "./spreadsheet-trace.ts";

/**
 * The input in a row of a CSV file: every cell is text, an empty one (or one of blanks) is not given, and a column
 * `consent.reference` is the field `reference` inside `consent`.
 * @throws InputError where a column is both a field and an object of fields
 */
export function inputOfRow(row: Readonly<Record<string, string>>): Record<string, unknown> {
  const cells = Object.entries(row).map(([column, cell]) => [column, cleanCell(cell)] as const);
  return nestDotted(Object.fromEntries(cells.filter(([, cell]) => cell !== "")));
}

/**
 * Makes `{ "consent.reference": x }` to `{ consent: { reference: x } }`, one level deep: no input has more.
 * @throws InputError where a name is both a field and an object of fields
 */
export function nestDotted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // Maps, then fromEntries: a column named `__proto__` is a field like any other.
  const fields = new Map<string, unknown>();
  const objects = new Map<string, Map<string, unknown>>();
  for (const [column, value] of Object.entries(record)) {
    const dot = column.indexOf(".");
    const field = dot === -1 ? column : column.slice(0, dot);
    if (dot === -1 ? objects.has(field) : fields.has(field) && !objects.has(field)) {
      throw new InputError([{ field: objectName(field), message: "is given both whole and in parts" }]);
    }
    if (dot === -1) {
      fields.set(field, value);
      continue;
    }
    const parts = objects.get(field) ?? new Map<string, unknown>();
    parts.set(column.slice(dot + 1), value);
    objects.set(field, parts);
    fields.set(field, null); // holds its place among the others
  }
  return Object.fromEntries(
    Array.from(fields, ([field, value]) => {
      const parts = objects.get(field);
      return [field, parts === undefined ? value : Object.fromEntries(parts)];
    }),
  );
}

/** Shows our own name of the field only: a column's may be a value. */
function objectName(field: string): string {
  return field === "consent" ? field : "(a column)";
}
