import { Writable } from "node:stream";

const ESC = "\u001B";
const TOKENS = new RegExp(`${ESC}\\[[?\\d]*[A-Za-z]|\\r|\\n|[^${ESC}\\r\\n]+`, "gu");
const SEQUENCE = new RegExp(`^${ESC}\\[(\\d*)([A-Za-z])$`);

/** One line as it was written; `width` columns of it stand in a row of the terminal, the rest folds into the next. */
interface Line {
  text: string;
}

/** A terminal that knows what it shows: text, line ends, and the few sequences that our screens use; any other throws. */
export class Terminal extends Writable {
  readonly isTTY = true;
  columns: number;
  readonly rows: number;
  isCursorShown = true;
  /** Everything that was written. */
  written = "";
  readonly #lines: Line[] = [{ text: "" }];
  #at = 0;
  #column = 0;

  constructor(columns = 80, rows = 24) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  /** What it shows, from the first line on that ever was there; a line that is too long is folded, as terminals do. */
  get screen(): string[] {
    return this.#lines.flatMap(({ text }) => fold(text, this.columns));
  }

  /** As a person drags its edge: what is there folds anew. */
  resize(columns: number): void {
    this.columns = columns;
    this.emit("resize");
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk;
    for (const [token] of chunk.matchAll(TOKENS)) this.#take(token);
    done();
  }

  #take(token: string): void {
    const [, count = "", what = ""] = SEQUENCE.exec(token) ?? [];
    if (token === "\n") this.#newline();
    else if (token === "\r") this.#column = 0;
    else if (token === `${ESC}[?25l`) this.isCursorShown = false;
    else if (token === `${ESC}[?25h`) this.isCursorShown = true;
    else if (what === "A") this.#up(Number(count));
    else if (what === "J") this.#clearBelow();
    else if (token.startsWith(ESC)) throw new Error(`an unknown sequence: ${JSON.stringify(token)}`);
    else this.#put(token);
  }

  #put(text: string): void {
    const line = this.#line();
    line.text = `${line.text.slice(0, this.#column).padEnd(this.#column)}${text}${line.text.slice(this.#column + text.length)}`;
    this.#column += text.length;
  }

  #newline(): void {
    this.#at += 1;
    this.#column = 0;
    if (this.#at === this.#lines.length) this.#lines.push({ text: "" });
  }

  /** Rows, of which a folded line has several; never above what is seen. */
  #up(count: number): void {
    const seen = Math.max(0, this.screen.length - this.rows);
    let left = count;
    while (left > 0 && this.#at > 0 && this.#rowOf(this.#at) > seen) {
      const above = this.#lines[this.#at - 1] ?? { text: "" };
      const height = fold(above.text, this.columns).length;
      if (height > left) {
        // Into the middle of a folded line: it is two from now on.
        const cut = (height - left) * this.columns;
        this.#lines.splice(this.#at - 1, 1, { text: above.text.slice(0, cut) }, { text: above.text.slice(cut) });
        return;
      }
      left -= height;
      this.#at -= 1;
    }
  }

  #clearBelow(): void {
    const line = this.#line();
    line.text = line.text.slice(0, this.#column);
    this.#lines.length = this.#at + 1;
  }

  #rowOf(index: number): number {
    return this.#lines.slice(0, index).flatMap(({ text }) => fold(text, this.columns)).length;
  }

  #line(): Line {
    const line = this.#lines[this.#at];
    if (line === undefined) throw new RangeError(`no line ${this.#at}`);
    return line;
  }
}

function fold(text: string, columns: number): string[] {
  const rows: string[] = [];
  for (let from = 0; from < text.length; from += columns) rows.push(text.slice(from, from + columns));
  return rows.length === 0 ? [""] : rows;
}
