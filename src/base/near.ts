/** The candidates that a misspelt word may have meant, nearest first: at most `count`, a third of their letters away. */
export function nearest(word: string, candidates: readonly string[], count = 3): string[] {
  // Longer than any name of ours: not a slip, and not worth a quadratic comparison.
  if (word.length > 64) return [];
  return candidates
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate) }))
    .filter(({ candidate, distance: d }) => d <= Math.max(1, Math.floor(candidate.length / 3)))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** What to say of a name that there is not: what may have been meant, or all there are. `what`: operation, flow. */
export function unknownName(what: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const hint = near.length === 0 ? `there are ${names.join(", ")}` : `did you mean ${near.join(" or ")}?`;
  // What is no name is not repeated: an argument in the wrong place may be a number of somebody.
  const shown = /^[a-z][a-z.-]{0,79}$/i.test(name) ? ` ${name}` : "";
  return `unknown ${what}${shown}: ${hint}`;
}

/** Levenshtein: how many letters have to be changed, added or dropped. */
function distance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const changed = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(changed, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[to.length] ?? 0;
}
