/** One line of a CSV file (RFC 4180), its cells exactly as they are. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",;|\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`;
}

/** What a spreadsheet would take for a formula, also behind blanks (facts/anchors §6.1: ASVS 1.2.10). */
const FORMULA = /^\s*[=+\-@\t\r\0]/;

/** A cell that no spreadsheet runs: with an apostrophe, which marks it as text, before what looks like a formula. */
export function safeCell(cell: string): string {
  return FORMULA.test(cell) ? `'${cell}` : cell;
}

/** What `safeCell` was given. */
export function plainCell(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell;
}
