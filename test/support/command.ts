import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { readTestEnv } from "./env.ts";
import { watchOverChild } from "./watch-over.ts";

const MAIN = fileURLToPath(new URL("../../bin/main.ts", import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface CommandOptions {
  /** Besides what every process has (PATH, HOME); nothing of the test's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder of the test's own: a command may make `.satyapan` there. */
  readonly cwd: string;
  readonly stdin?: string;
  /** After it the process is killed and the test fails. Default ten minutes: no claim about its speed. */
  readonly timeoutMs?: number;
  /** What stands before the arguments. Default: this Node and `bin/main.ts`. */
  readonly program?: readonly [string, ...string[]];
}

/** A `satyapan` process; killed, if it still runs, when it is disposed of, and when this process is gone. */
export class RunningCommand implements AsyncDisposable {
  readonly ended: Promise<Ran>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[], { env = {}, cwd, stdin, timeoutMs = 600_000, program }: CommandOptions) {
    const started = performance.now();
    const [file, ...first] = program ?? [process.execPath, MAIN];
    this.#child = spawn(file, [...first, ...args], { cwd, env: { ...baseEnv(), ...env } });
    watchOverChild(this.#child);
    const exited = once(this.#child, "close");
    this.#child.stdout.setEncoding("utf8").on("data", (chunk: string) => (this.#stdout += chunk));
    this.#child.stderr.setEncoding("utf8").on("data", (chunk: string) => (this.#stderr += chunk));
    this.#child.stdin.on("error", () => {}); // a command that does not read it may be gone
    if (stdin !== undefined) this.#child.stdin.end(stdin);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.kill("SIGKILL");
    }, timeoutMs);
    this.ended = exited.then(([code]: unknown[]) => {
      clearTimeout(timer);
      const what = `satyapan ${args.join(" ")}`;
      if (late) throw new Error(`${what} still ran after ${timeoutMs} ms\n${this.#stdout}\n${this.#stderr}`);
      return {
        code: code as number | null,
        stdout: this.#stdout,
        stderr: this.#stderr,
        ms: performance.now() - started,
      };
    });
    this.ended.catch(() => {}); // for whoever does not wait for it
  }

  /** Resolves when it has said this, on either stream; rejects if it ends before. */
  async said(what: string | RegExp): Promise<string> {
    const heard = (): string | undefined => {
      const all = this.#stdout + this.#stderr;
      return typeof what === "string" ? (all.includes(what) ? what : undefined) : what.exec(all)?.[0];
    };
    for (;;) {
      const found = heard();
      if (found !== undefined) return found;
      const heardEnough = new AbortController();
      const { signal } = heardEnough;
      const more = [this.#child.stdout, this.#child.stderr].map(async (stream) => {
        await once(stream, "data", { signal });
      });
      const ended = this.ended.then(() => "ended");
      const first = await Promise.race([...more, ended]);
      heardEnough.abort();
      if (first === "ended" && heard() === undefined) {
        throw new Error(`it ended before it said ${String(what)}\n${this.#stdout}\n${this.#stderr}`);
      }
    }
  }

  /** Into its standard input, which stays open. */
  type(text: string): void {
    this.#child.stdin.write(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it as an orchestrator does. */
  async stop(): Promise<Ran> {
    this.kill("SIGTERM");
    return await this.ended;
  }

  /** Whoever reads its output goes away (`| head`). */
  closeOutput(): void {
    this.#child.stdout.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}

/** Runs one command to its end. */
export async function satyapan(args: readonly string[], options: CommandOptions): Promise<Ran> {
  return await new RunningCommand(args, { stdin: "", ...options }).ended;
}

function baseEnv(): Record<string, string> {
  const { path, home, cacheDir, tmpDir } = readTestEnv().machine;
  return {
    PATH: path,
    HOME: home,
    TMPDIR: tmpDir,
    // Where a Redis that was downloaded for the tests already is.
    XDG_CACHE_HOME: dirname(cacheDir),
    // Halves the CPU time of each start.
    NODE_COMPILE_CACHE: join(tmpDir, "satyapan-test-compile-cache"),
  };
}
