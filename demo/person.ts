/** How many codes a provider takes for one SMS. */
export const TRIES = 3;

/** How somebody deals with an SMS. */
export interface Reading {
  /** Until the code is read out, in ms. */
  readonly afterMs: number;
  /** How many times the code is mistyped before it is right; with `TRIES` it never is. */
  readonly mistyped: number;
}

/** Somebody who is asked for a code. */
export interface Person {
  /** The onboarding that asks, for the first SMS (0), the second, … */
  readonly onboarding: (asked: number) => string | Promise<string>;
  /** Null: no answer. */
  readonly reads: (asked: number) => Reading | null;
}

/** `clumsy`: mistypes the first code; `hopeless`: every one; `away`: answers the second SMS alone; `silent`: none. */
export type Habit = "usual" | "clumsy" | "hopeless" | "away" | "silent";

/** Of many people, one after the other and over again: what they are like, and how long each takes to read an SMS, in ms. */
export interface Habits {
  readonly habits: readonly Habit[];
  readonly readingMs: readonly number[];
}

/** The `nth` of many people. */
export function personOf(nth: number, { habits, readingMs }: Habits, onboarding: Person["onboarding"]): Person {
  const habit = habits[nth % habits.length] ?? "usual";
  const afterMs = readingMs[nth % readingMs.length] ?? 0;
  const reads = (asked: number): Reading | null => {
    if (habit === "silent" || (habit === "away" && asked === 0)) return null;
    if (habit === "hopeless") return { afterMs, mistyped: TRIES };
    return { afterMs, mistyped: habit === "clumsy" && asked === 0 ? 1 : 0 };
  };
  return { onboarding, reads };
}
