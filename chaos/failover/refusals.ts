/** What Redis says while it fails over or moves slots: a producer waits for its end, and never hears of it. */
export const PASSING: readonly string[] = ["MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN"];

const WORDS = new RegExp(`\\b(${[...PASSING, "OOM", "READONLY", "NOREPLICAS", "MISCONF", "CROSSSLOT"].join("|")})\\b`);

/** The word that Redis used, or the error's code, or its class. */
export function wordOf(error: unknown): string {
  if (!(error instanceof Error)) return "something else";
  const [word] = WORDS.exec(error.message) ?? [];
  if (word !== undefined) return word;
  if (error.cause instanceof Error) {
    const [inner] = WORDS.exec(error.cause.message) ?? [];
    if (inner !== undefined) return inner;
  }
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
