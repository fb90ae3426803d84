import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import type { PassOptions } from "../keys/key-deps.ts";
import { type Progress, startProgress } from "../report/progress.ts";

export interface PassProgress extends Disposable {
  readonly options: PassOptions;
  stop(): void;
}

/** A bar for work that knows only on its way how much there is; begins at its first step. */
export function passProgress({ stderr, signal }: CommandContext, what: string): PassProgress {
  let bar: Progress | null = null;
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  const onProgress = (done: number, total: number): void => {
    bar ??= startProgress(stderr, what, total);
    bar.update(done);
  };
  return { options: { signal, onProgress }, stop, [Symbol.dispose]: stop };
}

/** Says it once, with the exit code. */
export function isStopped({ signal, stderr, exit }: CommandContext): boolean {
  if (!signal.aborted) return false;
  stderr.write("satyapan: stopped; the same command goes on with what is left\n");
  exit(ExitCode.NOT_SUCCEEDED);
  return true;
}
