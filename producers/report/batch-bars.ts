import type { Writable } from "node:stream";
import { MultiBar, Presets } from "cli-progress";
import type { BatchView } from "../../src/batches/batch.ts";
import { ROW_STATES } from "../../src/batches/row-state.ts";
import { formatProgress } from "./format-batch.ts";

/** Shows a batch as it goes on. */
export interface BatchDisplay {
  show(view: BatchView): void;
  stop(): void;
}

/** A bar for each state that has rows, on a terminal that is redrawn; elsewhere a line whenever something changed. */
export function batchDisplay(stdout: Writable & { readonly isTTY?: boolean }, now: () => number): BatchDisplay {
  return stdout.isTTY === true ? bars(stdout, now) : lines(stdout, now);
}

function lines(stdout: Writable, now: () => number): BatchDisplay {
  return {
    show: (view) => void stdout.write(`${new Date(now()).toISOString()} ${formatProgress(view, now())}\n`),
    stop: () => {},
  };
}

function bars(stdout: Writable, now: () => number): BatchDisplay {
  const format = "{state} {bar} {value}";
  const multi = new MultiBar(
    { stream: stdout, format, hideCursor: true, barsize: 30, forceRedraw: true },
    Presets.shades_classic,
  );
  const shown = new Map<string, ReturnType<MultiBar["create"]>>();
  let last = "";
  return {
    show: (view) => {
      last = formatProgress(view, now());
      for (const state of ROW_STATES) {
        const count = view.counts[state];
        if (count === 0 && !shown.has(state)) continue;
        const bar = shown.get(state) ?? multi.create(view.rows, 0, { state: state.padStart(12) });
        shown.set(state, bar);
        bar.update(count);
      }
      multi.update();
    },
    stop: () => {
      multi.stop();
      if (last !== "") stdout.write(`${last}\n`);
    },
  };
}
