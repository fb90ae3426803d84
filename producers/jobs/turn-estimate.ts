import type { GateState } from "../../src/limits/control.ts";

/**
 * When a job with `ahead` others before it gets its permit, in ms, if nothing is called from `from` on but them, each window
 * at its steady rate. Null: a window allows no call at all, or no quota is known.
 */
export function estimateTurn(
  { now, windows, fullWindow, quotaFreeAt, factor }: GateState,
  ahead: number,
  from: number,
): number | null {
  const [shortest] = windows;
  if (shortest === undefined || windows.some(({ max }) => max === 0)) return null;
  const turns = windows.map(({ max, ms, used }, index) => {
    const share = index === 0 ? max * factor : max;
    const beyond = used + ahead + 1 - share;
    if (beyond <= 0) return now;
    const steady = now + (beyond * ms) / share;
    return ms === fullWindow?.ms ? Math.min(steady, quotaFreeAt + ((beyond - 1) * ms) / share) : steady;
  });
  const inTurn = (ahead * shortest.ms) / (shortest.max * factor);
  return Math.ceil(Math.max(Math.max(now, from, quotaFreeAt) + inTurn, ...turns));
}
