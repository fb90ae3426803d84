import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../bin/main.ts", import.meta.url));

/** Worker processes of the demo: started together, stopped together, whatever they are doing. */
export class Workers implements AsyncDisposable {
  readonly #children: ChildProcess[];

  private constructor(children: ChildProcess[]) {
    this.#children = children;
  }

  /** `logFile`: where their logs go. Rejects if one of them ends at once. */
  static start(count: number, env: Readonly<Record<string, string>>, logFile: string): Workers {
    const log = openSync(logFile, "a", 0o600);
    const children = Array.from({ length: count }, () =>
      // A group of their own: Ctrl-C reaches the demo alone, which then stops them in order.
      spawn(process.execPath, [MAIN, "worker"], { env, stdio: ["ignore", log, log], detached: true }),
    );
    return new Workers(children);
  }

  /** Rejects as soon as one of them ends by itself. */
  async watch(): Promise<never> {
    const [code, signal] = await Promise.race(this.#children.map(ended));
    throw new Error(`a worker ended by itself (${signal ?? `exit code ${code}`})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
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
