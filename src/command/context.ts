import type { Environment } from "../base/setting.ts";
import type { Machine } from "../redis/embedded/machine.ts";
import type { Faults } from "./faults.ts";
import type { Readable, Writable } from "node:stream";

/** What a command is given of its process: everything it reads, writes and asks comes from here. */
export interface CommandContext {
  readonly env: Environment;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Logs, progress and errors; never the answer itself. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly now: () => number;
  readonly random: () => number;
  readonly readFile: (path: string) => string;
  /** The name of the user in the audit log: `command:USER`. */
  readonly actor: string;
  /** For finding an embedded Redis. */
  readonly machine: Machine;
  /** Faults that nobody caught: a command that has calls in flight hears of them and ends in good order. */
  readonly faults: Faults;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** From now on by SIGHUP, too: for what holds something for whoever sits at the terminal. */
  readonly endAtHangup: () => void;
  /** What the process will exit with. */
  readonly exit: (code: ExitCode) => void;
}

/** Design §6: 0 done, 1 the job did not succeed, 2 wrong use or bad input, 3 a service cannot be reached. */
export const ExitCode = { DONE: 0, NOT_SUCCEEDED: 1, WRONG_USE: 2, UNREACHABLE: 3 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
