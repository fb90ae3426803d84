import { writeSync } from "node:fs";
import type { FailPoint } from "../workers/open-attempt.ts";
import { dice } from "./random.ts";

/** What happens to a worker at a point of its own. */
export interface Peril {
  /** The odds at each point of each attempt, 0–1. */
  readonly killOdds: number;
  readonly freezeOdds: number;
}

/** Said on the worker's own stdout just before it happens. */
export interface LastWords {
  readonly what: "killed" | "frozen";
  readonly point: FailPoint;
}

/** Kills or freezes this process exactly there: the signal has come before `kill` returns. */
export function perilous(seed: number, { killOdds, freezeOdds }: Peril): (point: FailPoint) => void {
  const { next } = dice(seed, "points");
  const fall = (what: LastWords["what"], point: FailPoint, signal: "SIGKILL" | "SIGSTOP"): void => {
    writeSync(1, `${JSON.stringify({ what, point } satisfies LastWords)}\n`);
    process.kill(process.pid, signal);
  };
  return (point) => {
    const fate = next();
    if (fate < killOdds) fall("killed", point, "SIGKILL");
    else if (fate < killOdds + freezeOdds) fall("frozen", point, "SIGSTOP");
  };
}
