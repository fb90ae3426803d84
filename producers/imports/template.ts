import { csvLine } from "../files/csv-line.ts";
import type { ImportTarget } from "./import-target.ts";

/** A header and one example row, as CSV: what `batch check` takes as it is. Fields that have a default are left out. */
export function templateOf({ owner, fields }: ImportTarget): string {
  const example: Readonly<Record<string, unknown>> = owner.example;
  const cells = fields.flatMap((field): [string, string][] => {
    const [name = "", part] = field.split(".");
    const value = example[name];
    if (part === undefined) return typeof value === "string" ? [[field, value]] : [];
    const inner = (value as Readonly<Record<string, string>> | undefined)?.[part];
    return inner === undefined ? [] : [[field, inner]];
  });
  const rows = [
    ["ref", ...cells.map(([field]) => field)],
    ["ROW-1", ...cells.map(([, cell]) => cell)],
  ];
  return rows.map(csvLine).join("");
}
