import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { watchOverChild } from "../test/support/watch-over.ts";
import type { LastWords, Peril } from "./peril.ts";
import type { Dice } from "./random.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const CALM: Peril = { killOdds: 0, freezeOdds: 0 };

export interface FleetOptions {
  readonly size: number;
  readonly seed: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly peril: Peril;
  /** What the n-th worker (from 1) is told beside its seed and its odds: locks as they are shipped, a wrong clock. */
  readonly told?: (n: number) => object;
  /** How long a worker that froze stays so, in ms. */
  readonly freezeMs: () => number;
  /** Called each time one takes jobs. */
  readonly onReady?: () => void;
  /** Hears of everything that befell a worker: `killed begun`, `frozen outside`, … */
  readonly onFate: (fate: string) => void;
}

/** Worker processes: one that ends is replaced at once, until `calm`. */
export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #log: number;
  readonly #workers = new Set<ChildProcess>();
  readonly #ready = new Set<ChildProcess>();
  #started = 0;
  #peril: Peril;
  #closed = false;
  /** A frozen worker would outlive the harness. */
  readonly #onExit = (): void => this.#killAll();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#peril = options.peril;
    this.#log = openSync(options.logFile, "a", 0o600);
    process.once("exit", this.#onExit);
    for (let n = 0; n < options.size; n++) this.#start();
  }

  /** Kills one of them from outside, at whatever it is doing. */
  killOne(random: Dice): void {
    this.#options.onFate("killed outside");
    random.pick([...this.#workers]).kill("SIGKILL");
  }

  freezeOne(random: Dice): void {
    this.#options.onFate("frozen outside");
    const worker = random.pick([...this.#workers]);
    worker.kill("SIGSTOP");
    this.#thawLater(worker);
  }

  /** From now on nothing happens to workers by itself: all are replaced by such that live. */
  calm(): void {
    this.#peril = CALM;
    this.#killAll();
  }

  /** Whether each of them takes jobs. */
  get isReady(): boolean {
    return this.#ready.size === this.#options.size;
  }

  /** Puts a fresh worker in the place of the oldest: starting, it looks for jobs that have stalled. */
  relieve(): void {
    const [oldest] = this.#workers;
    oldest?.kill("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    process.off("exit", this.#onExit);
    const gone = [...this.#workers].map((worker) => once(worker, "exit"));
    this.#killAll();
    await Promise.all(gone);
  }

  #start(): void {
    const { seed, env, onFate, onReady, told } = this.#options;
    this.#started += 1;
    const argument = JSON.stringify({ seed: seed * 10_000 + this.#started, ...this.#peril, ...told?.(this.#started) });
    const stdio = ["ignore", "pipe", this.#log, "ipc"] as const;
    const worker = fork(WORKER, [argument], { env, stdio: [...stdio] });
    watchOverChild(worker);
    this.#workers.add(worker);
    if (worker.stdout !== null) {
      createInterface({ input: worker.stdout }).on("line", (line) => {
        const { what, point } = JSON.parse(line) as LastWords;
        onFate(`${what} ${point}`);
        if (what === "frozen") this.#thawLater(worker);
      });
    }
    worker.once("message", () => {
      this.#ready.add(worker);
      onReady?.();
    });
    worker.once("exit", (code) => {
      this.#workers.delete(worker);
      this.#ready.delete(worker);
      if (code !== null && !this.#closed) onFate(`ended by itself (${code})`);
      if (!this.#closed) this.#start();
    });
  }

  #thawLater(worker: ChildProcess): void {
    setTimeout(() => worker.kill("SIGCONT"), this.#options.freezeMs());
  }

  #killAll(): void {
    for (const worker of this.#workers) worker.kill("SIGKILL");
  }
}
