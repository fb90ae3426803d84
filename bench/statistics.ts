/** The middle value; the mean of the middle two of an even number. Throws RangeError for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError("no values");
  return (lower + upper) / 2;
}

/** The smallest value that at least this share of all (above 0, at most 1) does not exceed. Throws RangeError for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const found = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
  if (found === undefined) throw new RangeError(`no value at ${share} of ${values.length}`);
  return found;
}
