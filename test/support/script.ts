import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface ScriptOptions {
  /** Whether it has a process group of its own, as a command of another terminal has. */
  readonly detached?: boolean;
  /** Beside what this process has. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A script of `test/support` in a process of its own; killed, if it still runs, when it is disposed of. */
export class Script implements AsyncDisposable {
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly lines: string[] = [];
  readonly ended: Promise<unknown>;
  readonly #reader: Interface;

  constructor(name: string, args: readonly string[], { detached = false, env = {} }: ScriptOptions = {}) {
    const file = fileURLToPath(new URL(name, import.meta.url));
    const assignments = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const command = ["env", ...assignments, process.execPath, file, ...args] as const;
    const child = spawn(command[0], command.slice(1), { detached, stdio: ["pipe", "pipe", "inherit"] });
    this.child = child;
    this.ended = once(child, "exit");
    this.#reader = createInterface({ input: child.stdout });
    this.#reader.on("line", (line) => this.lines.push(line));
  }

  /** The next line it says; rejects if it ends before. */
  async line(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const onClose = (): void => reject(new Error(`the script ended after ${this.lines.length} lines`));
    this.#reader.once("line", resolve).once("close", onClose);
    try {
      return await promise;
    } finally {
      this.#reader.off("line", resolve).off("close", onClose);
    }
  }

  /** Lets it end by itself. */
  async finish(): Promise<void> {
    this.child.stdin?.end();
    await this.ended;
  }

  async kill9(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
  }
}
