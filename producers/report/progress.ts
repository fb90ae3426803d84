import type { Writable } from "node:stream";
import { Presets, SingleBar } from "cli-progress";
import { formatDuration } from "../../src/base/duration.ts";

export interface Progress {
  update(done: number): void;
  stop(): void;
}

/** A bar on a terminal, nothing elsewhere: a log file is no place for one. */
export function startProgress(stderr: Writable & { readonly isTTY?: boolean }, what: string, total: number): Progress {
  if (stderr.isTTY !== true) return { update: () => {}, stop: () => {} };
  const format = `${what} {bar} {value}/{total}  {eta_formatted} left`;
  const bar = new SingleBar({ stream: stderr, format, formatTime, hideCursor: true }, Presets.shades_classic);
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

/** A number that grows, where nobody knows how far: on a terminal, nothing elsewhere. */
export function startCount(stderr: Writable & { readonly isTTY?: boolean }, what: string): Progress {
  if (stderr.isTTY !== true) return { update: () => {}, stop: () => {} };
  return { update: (done) => void stderr.write(`\r${done} ${what}`), stop: () => void stderr.write("\r\u001B[K") };
}

/** Before anything has happened, it is not a number. */
function formatTime(seconds: number): string {
  return Number.isFinite(seconds) ? formatDuration(seconds * 1_000) : "?";
}
