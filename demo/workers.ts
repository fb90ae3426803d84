import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { watchOverChild } from "../test/support/watch-over.ts";

const COMMAND = fileURLToPath(new URL("../bin/satyapan.js", import.meta.url));
/** How long a worker may take to stop in good order, in ms. */
const STOP_MS = 5_000;

export interface WorkersOptions {
  readonly count: number;
  /** Their working folder, whose Redis and keys they share. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where their logs go. */
  readonly logFile: string;
}

/** Worker processes of the demo: started together, stopped together, whatever they are doing. */
export class Workers implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];
  readonly #logFile: string;

  constructor({ count, folder, env, logFile }: WorkersOptions) {
    this.#logFile = logFile;
    const log = openSync(logFile, "a", 0o600);
    const stdio = ["ignore", log, log] as const;
    this.#children = Array.from({ length: count }, () =>
      // A group of their own: Ctrl-C reaches the demo alone, which then stops them in order.
      spawn(process.execPath, [COMMAND, "worker"], { cwd: folder, env, stdio: [...stdio], detached: true }),
    );
    closeSync(log);
    for (const child of this.#children) watchOverChild(child);
  }

  /** Rejects as soon as one of them ends by itself. */
  async watch(): Promise<never> {
    const [code, signal] = await Promise.race(this.#children.map(ended));
    const lastWords = readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-3).join("\n");
    throw new Error(`a worker ended by itself (${signal ?? `exit code ${code}`}); its last words:\n${lastWords}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        const hard = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
        await exited;
        clearTimeout(hard);
      }),
    );
  }
}

async function ended(child: ChildProcess): Promise<[code: number | null, signal: string | null]> {
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  return [code, signal];
}
