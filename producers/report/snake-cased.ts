const HUMP = /(?<=[a-z])[A-Z]/g;

/** A document for scripts: the names of its fields as in all of our documents, `in_flight` for `inFlight`. */
export function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, of]) => [
      name.replaceAll(HUMP, (letter) => `_${letter.toLowerCase()}`),
      snakeCased(of),
    ]),
  );
}
