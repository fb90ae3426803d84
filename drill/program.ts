import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { watchOverChild } from "../test/support/watch-over.ts";

export interface ProgramOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
}

/** A process of a drill's own: ended with it, whatever befell it. */
export class Program implements AsyncDisposable {
  readonly #options: ProgramOptions;
  #child: ChildProcess;
  readonly #onExit = (): void => void this.#child.kill("SIGKILL");

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.#child = this.#spawn();
    // Before what it writes to is removed.
    process.prependOnceListener("exit", this.#onExit);
  }

  /** `SIGSTOP` freezes it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** As a deploy does it: it ends what it is in. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** After `kill` or `stop`. */
  restart(): void {
    this.#child = this.#spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill(signal);
    await exited;
  }

  #spawn(): ChildProcess {
    const { program, args, env, cwd, logFile } = this.#options;
    const log = openSync(logFile, "a", 0o600);
    const child = spawn(program, args, { env, cwd, stdio: ["ignore", log, log] });
    child.on("error", () => {}); // it is seen not to answer
    closeSync(log);
    watchOverChild(child);
    return child;
  }
}
