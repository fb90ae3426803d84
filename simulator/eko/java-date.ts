const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const INDIA_OFFSET_MS = 5.5 * 3_600_000;

/** Java's `Date.toString()` in India, for example `Fri May 22 16:04:04 IST 2026`, which `Date.parse` cannot read. */
export function javaDateInIndia(ms: number): string {
  const date = new Date(ms + INDIA_OFFSET_MS);
  const time = date.toISOString().slice(11, 19);
  const day = String(date.getUTCDate()).padStart(2, "0");
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} IST ${date.getUTCFullYear()}`;
}
