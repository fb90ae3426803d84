import { drainTime } from "../../src/limits/drain-time.ts";
import type { GateState } from "../../src/limits/control.ts";
import type { Quota } from "../../src/limits/quota.ts";
import type { CallPrices } from "../../src/operations/call-prices.ts";
import type { ImportTarget } from "./import-target.ts";

/** What is known of what stands before a batch at its provider. */
export interface QueueLook {
  readonly gate: Pick<GateState, "windows">;
  /** Calls that others wait for. */
  readonly ahead: number;
}

/** What running a file's good rows will take. */
export interface Estimate {
  /** Calls if every row goes the shortest and the longest way; calls that are tried again are not among them. */
  readonly calls: { readonly least: number; readonly most: number };
  readonly sms: { readonly least: number; readonly most: number };
  /** Calls that others wait for at this provider; null: nobody could be asked. */
  readonly ahead: number | null;
  /** At the quota's pace, behind those; null: the quota allows no call. */
  readonly takesMs: { readonly least: number; readonly most: number } | null;
  readonly quota: Quota;
  /** Rupees; null: no call's price is known. */
  readonly cost: { readonly least: number; readonly most: number } | null;
  /** Operations that have no price. */
  readonly unpriced: readonly string[];
}

/** `look`: null where Redis was not asked or is away; the windows are then those of the settings. */
export function estimate(
  { ways }: ImportTarget,
  rows: number,
  settings: { readonly quota: Quota; readonly prices: CallPrices },
  look: QueueLook | null,
): Estimate {
  const quota = look === null || look.gate.windows.length === 0 ? settings.quota : look.gate.windows;
  const usedOf = new Map(look?.gate.windows.map(({ ms, used }) => [ms, used]));
  const least = Math.min(...ways.map(({ calls }) => calls.length));
  const most = Math.max(...ways.map(({ calls }) => calls.length));
  const drained = (each: number): number | null =>
    drainTime(quota, (look?.ahead ?? 0) + each * rows, ({ ms }) => usedOf.get(ms) ?? 0);
  const [soonest, latest] = [drained(least), drained(most)];
  const costs = ways.map(({ calls }) => calls.reduce((sum, name) => sum + (settings.prices.get(name) ?? 0), 0));
  const used = new Set(ways.flatMap(({ calls }) => calls));
  const unpriced = [...used].filter((name) => !settings.prices.has(name));
  return {
    calls: { least: least * rows, most: most * rows },
    sms: {
      least: Math.min(...ways.map(({ sms }) => sms)) * rows,
      most: Math.max(...ways.map(({ sms }) => sms)) * rows,
    },
    ahead: look?.ahead ?? null,
    takesMs: soonest === null || latest === null ? null : { least: soonest, most: latest },
    quota: quota.map(({ max, ms }) => ({ max, ms })),
    cost: unpriced.length === used.size ? null : { least: rows * Math.min(...costs), most: rows * Math.max(...costs) },
    unpriced,
  };
}
