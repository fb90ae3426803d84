import { ENDINGS, type Ending } from "./endings.ts";
import { madeUpAadhaar } from "./people.ts";

const TITLES = ["ending", "on", "Eko", "Deepvue", "for example"];

/** The table of endings as plain text, with an Aadhaar number for each to try it with. */
export function formatEndings(endings: readonly Ending[] = ENDINGS): string {
  const rows = [TITLES, ...endings.map(row)];
  const widths = TITLES.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) => `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}

function row({ digits, steps, eko, deepvue }: Ending): string[] {
  const on = steps.includes("verify") ? "verify" : steps.includes("send") ? "send" : "sender";
  return [digits, on, eko, deepvue, madeUpAadhaar(1, digits)];
}
