import { hasEnded } from "../../src/batches/batch-state.ts";
import { ROW_STATES, type RowState } from "../../src/batches/row-state.ts";
import type { BatchWatch } from "../batches/batch-watch.ts";
import { wrapped } from "./live-screen.ts";
import { whatToDo } from "./what-to-do.ts";

/** Reasons of one state that a screen has room for. */
const SHOWN_REASONS = 5;
/** They go on by themselves. */
const OPEN: readonly RowState[] = ["waiting", "queued", "calling", "awaiting_otp"];
const FINE: readonly RowState[] = ["succeeded", "duplicate"];

/**
 * What became of the rows and why, in lines that add up to all of them, and what to do about each; `width`: of the terminal, endless
 * elsewhere. Empty where all succeeded.
 */
export function formatEnd(view: BatchWatch, width: number): string {
  const { id, rows, counts } = view;
  if (counts.succeeded === rows) return "";
  const digits = String(rows).length;
  const states = ROW_STATES.filter((state) => counts[state] > 0);
  const parts = states.map((state) => {
    const lines = reasonsOf(state, view).map(([count, why]) => {
      const text = why === "" ? state : `${state}, ${why}`;
      return hanging(String(count).padStart(digits), text, width);
    });
    const todo = OPEN.includes(state) ? "" : whatToDo(state, id, `${id}-ROW`);
    return `${lines.join("")}${todo === "" ? "" : wrapped(todo, width, " ".repeat(digits + 5))}`;
  });
  const bad = states.filter((state) => !OPEN.includes(state) && !FINE.includes(state));
  const next = [
    ...(bad.length > 0 ? [`Which rows: \`satyapan batch results ${id} --only ${bad.join(",")}\``] : []),
    ...(hasEnded(view.state) ? [] : [`It has not ended; see it go on with \`satyapan batch watch ${id}\``]),
  ];
  return `\nWhat became of the rows:\n${parts.join("")}  ${rows} in all\n\n${next.map((line) => `${line}\n`).join("")}`;
}

/** How many rows are in this state, and why; they add up to all of them. */
function reasonsOf(state: RowState, { counts, reasons }: BatchWatch): (readonly [number, string])[] {
  const shown = reasons.filter((reason) => reason.state === state).slice(0, SHOWN_REASONS);
  const rest = counts[state] - shown.reduce((sum, { count }) => sum + count, 0);
  const told = shown.map(({ count, code, reason }) => {
    const why = [code === state ? null : code, reason].filter((part) => part !== null).join(": ");
    return [count, why] as const;
  });
  if (rest <= 0) return told;
  return [...told, [rest, told.length > 0 ? "for other reasons" : ""]];
}

/** Behind a number; what is too long goes on below its text. */
function hanging(number: string, text: string, width: number): string {
  const indent = " ".repeat(number.length + 3);
  return `  ${number} ${wrapped(text, width, indent).slice(indent.length)}`;
}
