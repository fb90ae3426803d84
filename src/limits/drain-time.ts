import type { Quota, QuotaWindow } from "./quota.ts";

/**
 * How long so many calls take at a quota's pace, in ms: each window is used as soon as it has room, so the calls beyond a longer
 * window's fill wait for its next one. `used`: what is charged to each window now. Null: a window allows no call, or there is no quota.
 */
export function drainTime(quota: Quota, calls: number, used: (window: QuotaWindow) => number = () => 0): number | null {
  if (quota.length === 0 || quota.some(({ max }) => max === 0)) return null;
  let rest = calls;
  let ms = 0;
  for (const window of quota.toSorted((one, other) => other.ms - one.ms)) {
    const charged = rest + (ms === 0 ? used(window) : 0);
    const full = Math.max(0, Math.floor((charged - 1) / window.max));
    ms += full * window.ms;
    if (full > 0) rest = charged - full * window.max;
  }
  return ms;
}
