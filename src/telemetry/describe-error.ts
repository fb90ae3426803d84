import { refusalWord } from "../redis/refusal.ts";

export interface DescribedError {
  readonly name: string;
  readonly code?: string;
  /** What Redis refused with, by the first word of its answer. */
  readonly redis?: string;
  readonly at?: string;
}

/** Code, name and first frame: all that is said of an error. */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { name: typeof error };
  const at = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  const redis = refusalWord(error);
  return {
    name: error.name,
    ...(redis === null ? {} : { redis }),
    ...("code" in error && typeof error.code === "string" ? { code: error.code } : {}),
    ...(at === undefined ? {} : { at: at.trim() }),
  };
}
