/**
 * Wait before the next attempt, in ms: full jitter over a doubling ceiling, `random() × min(cap, base × 2^(failures-1))`
 * (AWS's "full jitter"; Eko's own SDKs use it, facts/eko §8.4). Cannot throw and is always a finite number ≥ 0, because a
 * backoff that throws strands a BullMQ job (facts/bullmq §0.5).
 */
export function backoffMs(failures: number, baseMs: number, capMs: number, random: () => number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.max(0, failures - 1));
  const wait = Math.round(ceiling * random());
  return Number.isFinite(wait) && wait > 0 ? wait : 0;
}
