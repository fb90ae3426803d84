import { MultiBar, Presets, type SingleBar } from "cli-progress";
import type { JobRecord } from "../src/records/record.ts";

const FORMAT = "  {name} {bar} {value}/{total}  {notes}";
// Where no terminal is: a line now and then.
const LINE_MS = 5_000;

/** Live progress: a bar per operation on a terminal, a line every 5 s elsewhere. */
export class Display implements Disposable {
  readonly #bars: MultiBar | null;
  readonly #bar = new Map<string, SingleBar>();
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #timer: NodeJS.Timeout | null;

  /** `totals`: how many jobs each operation will have at least. */
  constructor(stdout: NodeJS.WriteStream, totals: ReadonlyMap<string, number>) {
    const width = Math.max(...[...totals.keys()].map((name) => name.length));
    const total = [...totals.values()].reduce((sum, count) => sum + count, 0);
    if (stdout.isTTY) {
      const options = { format: FORMAT, stream: stdout, hideCursor: true, barsize: 24 };
      this.#bars = new MultiBar(options, Presets.shades_classic);
      for (const [name, count] of totals) {
        this.#bar.set(name, this.#bars.create(count, 0, { name: name.padEnd(width), notes: "" }));
      }
      this.#timer = null;
    } else {
      this.#bars = null;
      this.#timer = setInterval(() => stdout.write(`  ${this.#settled()} of about ${total} jobs settled\n`), LINE_MS);
    }
  }

  settled({ operation, state }: JobRecord): void {
    const counts = this.#counts.get(operation) ?? new Map<string, number>();
    this.#counts.set(operation, counts.set(state, (counts.get(state) ?? 0) + 1));
    const bar = this.#bar.get(operation);
    const done = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (bar !== undefined && done > bar.getTotal()) bar.setTotal(done);
    bar?.update(done, { notes: [...counts].map(([name, count]) => `${count} ${name}`).join(", ") });
  }

  [Symbol.dispose](): void {
    this.#bars?.stop();
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #settled(): number {
    return [...this.#counts.values()].flatMap((counts) => [...counts.values()]).reduce((sum, count) => sum + count, 0);
  }
}
