const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const JAVA_DATE = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{2}:\d{2}:\d{2}) IST (\d{4})$/;

/**
 * Java's `Date.toString()` in Indian time (`Fri May 22 16:04:04 IST 2026`, facts/eko §4.3) as ISO 8601 in UTC. Null for any
 * other zone or form: a guess would move an OTP's deadline by hours.
 */
export function istToIso(text: unknown): string | null {
  const [, name, day, time, year] = (typeof text === "string" ? JAVA_DATE.exec(text) : null) ?? [];
  if (name === undefined) return null;
  const month = String(MONTHS.indexOf(name) + 1).padStart(2, "0"); // an unknown month is 00, which no date has
  const iso = `${year}-${month}-${day}T${time}`;
  const ms = Date.parse(`${iso}+05:30`);
  // A day that the month does not have would be read as one of the next.
  const sameDay = new Date(Date.parse(`${iso}Z`)).getUTCDate() === Number(day);
  return Number.isNaN(ms) || !sameDay ? null : new Date(ms).toISOString();
}
