import type { Writable } from "node:stream";
import { MultiBar, Presets } from "cli-progress";
import { formatDuration } from "../../src/base/duration.ts";
import { ROW_STATES } from "../../src/batches/row-state.ts";
import type { BatchWatch } from "../batches/batches.ts";
import { whatToDo } from "./what-to-do.ts";
import { formatProgress } from "./format-batch.ts";

/** Shows a batch as it goes on. */
export interface BatchDisplay {
  show(view: BatchWatch): void;
  stop(): void;
}

/** Reasons that a screen has room for. */
const SHOWN_REASONS = 5;

/** A bar for each state that has rows, on a terminal that is redrawn; elsewhere a line whenever something changed. */
export function batchDisplay(stdout: Writable & { readonly isTTY?: boolean }, now: () => number): BatchDisplay {
  return stdout.isTTY === true ? bars(stdout, now) : lines(stdout, now);
}

function lines(stdout: Writable, now: () => number): BatchDisplay {
  let last: BatchWatch | null = null;
  return {
    show: (view) => {
      last = view;
      stdout.write(`${new Date(now()).toISOString()} ${formatProgress(view, now())}\n`);
    },
    stop: () => void (last !== null && stdout.write(formatReasons(last))),
  };
}

function bars(stdout: Writable, now: () => number): BatchDisplay {
  const format = "{state} {bar} {value}";
  const multi = new MultiBar(
    { stream: stdout, format, hideCursor: true, barsize: 30, forceRedraw: true },
    Presets.shades_classic,
  );
  const shown = new Map<string, ReturnType<MultiBar["create"]>>();
  let last: BatchWatch | null = null;
  return {
    show: (view) => {
      last = view;
      for (const state of ROW_STATES) {
        const count = view.counts[state];
        if (count === 0 && !shown.has(state)) continue;
        const bar = shown.get(state) ?? multi.create(view.rows, 0, { state: state.padStart(12) });
        shown.set(state, bar);
        bar.update(count);
      }
      for (const [name, text] of Object.entries(besideBars(view, now()))) {
        const payload = { state: name.padStart(12), text };
        const bar = shown.get(name) ?? multi.create(1, 0, payload, { format: "{state} {text}" });
        shown.set(name, bar);
        bar.update(0, payload);
      }
      multi.update();
    },
    stop: () => {
      multi.stop();
      if (last !== null) stdout.write(`${formatProgress(last, now())}\n${formatReasons(last)}`);
    },
  };
}

/** Lines that are redrawn below the bars; a name keeps its line. */
function besideBars(view: BatchWatch, now: number): Readonly<Record<string, string>> {
  const { rate, estimated_end, quota, open_challenges, open_limit, flow, reasons } = view;
  const left = estimated_end === null ? "" : `, about ${formatDuration(roughly(Date.parse(estimated_end) - now))} left`;
  const [first] = reasons;
  return {
    rate: `${rate.toFixed(1)}/s${left}`,
    quota: quota.map(({ used, max, ms }) => `${used} of ${max} per ${formatDuration(ms)}`).join(", "),
    ...(flow !== undefined && {
      codes: `${open_challenges} awaited${open_limit === null ? "" : ` of at most ${open_limit}`}`,
    }),
    ...(first !== undefined && {
      mostly: `${first.count} ${first.state}, ${first.reason ?? first.code ?? "without a reason"}`,
    }),
  };
}

/** Why rows did not succeed, and what to do about each; empty where all did. */
function formatReasons({ id, reasons }: Pick<BatchWatch, "id" | "reasons">): string {
  if (reasons.length === 0) return "";
  const said = reasons.slice(0, SHOWN_REASONS).map(({ state, code, count, reason }) => {
    const why = [code, reason].filter((part) => part !== null).join(": ");
    const todo = whatToDo(state, `${id}-ROW`);
    return `  ${count} ${state}${why === "" ? "" : `, ${why}`}${todo === "" ? "" : `\n    ${todo}`}\n`;
  });
  const more = reasons.length - SHOWN_REASONS;
  return `Why rows did not succeed:\n${said.join("")}${more > 0 ? `  … and ${more} other reasons\n` : ""}`;
}

/** To the second. */
function roughly(ms: number): number {
  return Math.max(1_000, Math.round(ms / 1_000) * 1_000);
}
