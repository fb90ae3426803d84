const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const JAVA_DATE = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{2}):(\d{2}):(\d{2}) IST (\d{4})$/;
/** Indian time is 5 h 30 min ahead of UTC. */
const IST_MS = 19_800_000;

/**
 * Java's `Date.toString()` in Indian time (`Fri May 22 16:04:04 IST 2026`, facts/eko §4.3) as ISO 8601 in UTC. Null for any
 * other zone or form: a guess would move an OTP's deadline by hours.
 */
export function istToIso(text: unknown): string | null {
  const [, name = "", dayText, hourText, minuteText, secondText, yearText] =
    (typeof text === "string" ? JAVA_DATE.exec(text) : null) ?? [];
  const month = MONTHS.indexOf(name);
  const [day, hour, minute, second] = [Number(dayText), Number(hourText), Number(minuteText), Number(secondText)];
  if (month < 0 || hour > 23 || minute > 59 || second > 59) return null;
  const local = Date.UTC(Number(yearText), month, day, hour, minute, second);
  // A day that the month does not have would be read as one of the next.
  if (day < 1 || (day > 28 && new Date(local).getUTCDate() !== day)) return null;
  return new Date(local - IST_MS).toISOString();
}
