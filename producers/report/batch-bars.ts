import { formatDuration } from "../../src/base/duration.ts";
import { ROW_STATES, type RowState } from "../../src/batches/row-state.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import type { BatchWatch } from "../batches/batch-watch.ts";
import { formatEnd } from "./batch-end.ts";
import { endedRows, formatProgress } from "./format-batch.ts";
import { LiveScreen, type Screen, wrapped } from "./live-screen.ts";

/** Shows a batch as it goes on. */
export interface BatchDisplay {
  show(view: BatchWatch): void;
  /** Beside what is shown, until that is drawn anew. False: there is no place for it. */
  note(text: string): boolean;
  stop(): void;
}

/** Between two lines where no terminal is, in ms. */
const LINE_MS = 2_000;
/** Characters. */
const LONGEST_BAR = 30;
const SHORTEST_BAR = 4;
const NAME_WIDTH = 12;

const START_ONE = "runs for its provider: start one that has its settings with `satyapan worker`";

/** A bar for each state that has rows, on a terminal that is redrawn; elsewhere a line now and then. */
export function batchDisplay(stdout: Screen, now: () => number): BatchDisplay {
  return stdout.isTTY === true ? bars(stdout, now) : lines(stdout, now);
}

function lines(stdout: Screen, now: () => number): BatchDisplay {
  let last: BatchWatch | null = null;
  let said: BatchWatch | null = null;
  let saidAt = 0;
  const say = (view: BatchWatch): void => {
    said = view;
    saidAt = now();
    const idle = isIdle(view) ? `; no worker ${START_ONE}` : "";
    stdout.write(`${new Date(saidAt).toISOString()} ${formatProgress(view, saidAt)}${idle}\n`);
  };
  return {
    show: (view) => {
      last = view;
      const isNews = view.state !== said?.state || isIdle(view) !== isIdle(said);
      if (isNews || now() - saidAt >= LINE_MS) say(view);
    },
    note: () => false,
    stop: () => {
      if (last === null) return;
      if (said !== last) say(last);
      stdout.write(formatEnd(last, Infinity));
    },
  };
}

function bars(stdout: Screen, now: () => number): BatchDisplay {
  const screen = new LiveScreen(stdout);
  // A state that had rows keeps its line: nothing jumps.
  const shown = new Set<RowState>();
  let last: BatchWatch | null = null;
  const linesOf = (view: BatchWatch): string[] => {
    const drawn = ROW_STATES.filter((state) => shown.has(state));
    return [...head(view, now()), ...drawn.map((state) => barOf(view, state, screen.width)), ...beside(view)];
  };
  return {
    show: (view) => {
      last = view;
      for (const state of ROW_STATES) if (view.counts[state] > 0) shown.add(state);
      screen.draw(linesOf(view));
    },
    note: (text) => {
      const told = wrapped(text, screen.width, "").trimEnd().split("\n");
      screen.draw([...told, ...(last === null ? [] : linesOf(last))]);
      return true;
    },
    stop: () => {
      screen.end();
      if (last === null) return;
      stdout.write(`${wrapped(formatProgress(last, now()), screen.width, "")}${formatEnd(last, screen.width)}`);
    },
  };
}

function barOf({ rows, counts }: BatchWatch, state: RowState, width: number): string {
  const number = String(counts[state]).padStart(String(rows).length);
  const room = Math.min(LONGEST_BAR, width - NAME_WIDTH - number.length - 2);
  if (room < SHORTEST_BAR) return named(state, number);
  // One row of many is to be seen, too.
  const full = counts[state] === 0 ? 0 : Math.max(1, Math.floor((counts[state] / rows) * room));
  return named(state, `${"█".repeat(full)}${"░".repeat(room - full)} ${number}`);
}

/** Above the bars. */
function head(view: BatchWatch, now: number): string[] {
  const { name, state, reason, rows, rate, estimated_end, created_at, ended_at } = view;
  const left = estimated_end === null ? [] : [`about ${formatDuration(roughly(Date.parse(estimated_end) - now))} left`];
  const took = (ended_at === null ? now : Date.parse(ended_at)) - Date.parse(created_at);
  return [
    named(state, `${name}${reason === null ? "" : `: ${reason}`}`),
    named("ended", `${endedRows(view)} of ${rows} in ${formatDuration(roughly(took))}`),
    named("rate", [`${rate.toFixed(1)}/s`, ...left].join(", ")),
  ];
}

/** Below the bars. */
function beside(view: BatchWatch): string[] {
  const { quota, open_challenges, open_limit, flow, reasons } = view;
  const used = quota.map(({ used: calls, max, ms }) => `${calls} of ${max} per ${formatDuration(ms)}`).join(", ");
  const most = open_limit === null ? "" : ` of at most ${open_limit}`;
  const [first] = reasons;
  return [
    ...(isIdle(view) ? [named("workers", `none ${START_ONE}`)] : []),
    named("quota", quota.length === 0 ? "not known before a worker was started" : used),
    ...(flow === undefined ? [] : [named("codes", `${open_challenges} awaited${most}`)]),
    ...(first === undefined
      ? []
      : [named("mostly", `${first.count} ${first.state}, ${first.reason ?? first.code ?? "without a reason"}`)]),
  ];
}

/** Nobody would call its rows. */
function isIdle({ state, workers }: BatchWatch): boolean {
  return workers === 0 && !hasEnded(state);
}

function named(name: string, text: string): string {
  return `${name.padStart(NAME_WIDTH)} ${text}`;
}

/** To the second. */
function roughly(ms: number): number {
  return Math.max(1_000, Math.round(ms / 1_000) * 1_000);
}
