/** Ms since a moment that is the same for all processes of this machine: Node's is the system's monotonic clock. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
