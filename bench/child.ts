import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { watchOverChild } from "../test/support/watch-over.ts";
import type { Answer } from "./answer.ts";

export interface ChildOptions {
  readonly module: URL;
  readonly args?: readonly string[];
  /** Its whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Loaded before the module. */
  readonly imports?: readonly URL[];
  /** Where its output goes. */
  readonly logFile: string;
}

/** The time for a process that was told to end, in ms. */
const END_MS = 5_000;
/** The output that is shown of a process that ended by itself, in characters. */
const OUTPUT_SHOWN = 1_000;

/** A process of the bench that answers questions (`answer.ts`). */
export class Child implements AsyncDisposable {
  /** Rejects, with the end of its output, when the process ends before it is told to. */
  readonly failed: Promise<never>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;
  /** A frozen process would outlive the bench. */
  readonly #onExit = (): void => void this.#process.kill("SIGKILL");

  constructor({ module, args = [], env = {}, imports = [], logFile }: ChildOptions) {
    const log = openSync(logFile, "a", 0o600);
    this.#process = fork(fileURLToPath(module), args, {
      env,
      execArgv: imports.flatMap(({ href }) => ["--import", href]),
      stdio: ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    watchOverChild(this.#process);
    this.#process.on("message", (message) => this.#answered(message as Answer));
    const failed = Promise.withResolvers<never>();
    this.failed = failed.promise;
    this.failed.catch(() => {}); // for whoever does not wait for it
    this.#process.once("exit", (code, signal) => {
      const output = readFileSync(logFile, "utf8").slice(-OUTPUT_SHOWN).trim();
      const name = module.pathname.split("/").at(-1);
      failed.reject(new Error(`${name} ended (${signal ?? `exit code ${code}`}): ${output || "without a word"}`));
    });
    process.once("exit", this.#onExit);
  }

  /** Rejects, too, if the process ends before it has answered. */
  async ask<Value>(name: string, argument: unknown = null): Promise<Value> {
    const waiting = Promise.withResolvers<unknown>();
    const n = ++this.#asked;
    this.#waiting.set(n, waiting);
    this.#process.send({ n, name, argument }, (error) => {
      if (error !== null) waiting.reject(error);
    });
    return (await Promise.race([waiting.promise, this.failed])) as Value;
  }

  /** Stops it in the middle of whatever it does, until `thaw`. */
  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    this.thaw();
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await exited;
    clearTimeout(hard);
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.n);
    this.#waiting.delete(answer.n);
    if ("error" in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.value);
  }
}
