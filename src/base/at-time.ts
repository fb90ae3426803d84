import { formatDuration } from "./duration.ts";

/** `2026-01-15T10:05:00.000Z (in 5m)`, `… (3s ago)`; times in ms. */
export function atTime(ms: number, now: number): string {
  const away = Math.abs(ms - now);
  const step = away < 10_000 ? 100 : away < 600_000 ? 1_000 : 60_000;
  const rounded = formatDuration(Math.round(away / step) * step);
  return `${new Date(ms).toISOString()} (${ms >= now ? `in ${rounded}` : `${rounded} ago`})`;
}
