import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Standard input that is a terminal. */
export type Terminal = Readable & { readonly isTTY: true; setRawMode(isRaw: boolean): unknown };

export function isTerminal(stdin: Readable): stdin is Terminal {
  return "isTTY" in stdin && stdin.isTTY === true && "setRawMode" in stdin;
}

/** Nobody's code or words are longer, in characters. */
const LONGEST_LINE = 100;
/** What keys like arrows send. */
// oxlint-disable-next-line no-control-regex -- it is what a terminal sends.
const KEYS_WITHOUT_TEXT = /\x1b(?:\[[\d;?]*[ -/]*[@-~]|O.|.)?/gsu;
const ENTER = new Set(["\r", "\n"]);
const BACKSPACE = new Set(["\x7F", "\b"]);
const [CTRL_C, CTRL_D, CTRL_U] = ["\x03", "\x04", "\x15"];

/**
 * Lines that somebody types at a terminal. Each digit is shown as a dot: a code or a number of a person stays on no screen. What is
 * typed while no line is asked for is dropped: it was meant for nobody. Until it is disposed of, Ctrl-C is a key, which ends it as the
 * end of the terminal does.
 */
export class TypedLines implements Disposable {
  readonly #terminal: Terminal;
  readonly #screen: Writable | null;
  readonly #signal: AbortSignal;
  readonly #ended = new AbortController();
  readonly #decoder = new StringDecoder("utf8");
  #line: string[] = [];
  #asker: ((line: string | null) => void) | null = null;
  readonly #take = (bytes: Buffer): void => {
    for (const key of this.#decoder.write(bytes).replaceAll(KEYS_WITHOUT_TEXT, "")) this.#press(key);
  };
  readonly #end = (): void => {
    this.#ended.abort();
    this.#answer(null);
  };

  /** `screen`: where it is shown; null: nowhere. `signal` ends it, too. */
  constructor(terminal: Terminal, screen: Writable | null, signal: AbortSignal) {
    this.#terminal = terminal;
    this.#screen = screen;
    this.#signal = signal;
    terminal.setRawMode(true);
    terminal.on("data", this.#take).on("end", this.#end).on("error", this.#end);
    signal.addEventListener("abort", this.#end);
    if (signal.aborted) this.#end();
  }

  /** Aborted when no other line comes. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The next line; null: none comes. */
  async next(): Promise<string | null> {
    if (this.#ended.signal.aborted) return null;
    return await new Promise((resolve) => (this.#asker = resolve));
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#end);
    this.#terminal.off("data", this.#take).off("end", this.#end);
    this.#terminal.setRawMode(false);
    this.#terminal.pause();
    this.#end();
  }

  #press(key: string): void {
    if (key === CTRL_C || (key === CTRL_D && this.#line.length === 0)) this.#end();
    else if (this.#asker === null) return;
    else if (ENTER.has(key)) this.#answer(this.#line.join(""));
    else if (BACKSPACE.has(key)) this.#erase(1);
    else if (key === CTRL_U) this.#erase(this.#line.length);
    else if (!/\p{Cc}/u.test(key) && this.#line.length < LONGEST_LINE) {
      this.#line.push(key);
      this.#screen?.write(/\p{Nd}/u.test(key) ? "•" : key);
    }
  }

  #erase(count: number): void {
    this.#screen?.write("\b \b".repeat(Math.min(count, this.#line.length)));
    this.#line = this.#line.slice(0, Math.max(0, this.#line.length - count));
  }

  #answer(line: string | null): void {
    const asker = this.#asker;
    this.#asker = null;
    this.#line = [];
    if (asker === null) return;
    this.#screen?.write("\n");
    asker(line);
  }
}
