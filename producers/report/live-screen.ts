import type { Writable } from "node:stream";

/** Where people read; on a terminal with its size. */
export interface Screen extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

const HIDE_CURSOR = "\u001B[?25l";
const SHOW_CURSOR = "\u001B[?25h";
const CLEAR_BELOW = "\r\u001B[J";
/** Of a terminal that does not say its size. */
const USUAL = { columns: 80, rows: 24 };

/** Lines of a terminal that are drawn anew; what was written before them stays. */
export class LiveScreen {
  readonly #stream: Screen;
  #drawn: readonly string[] = [];

  constructor(stream: Screen) {
    this.#stream = stream;
  }

  /** No line is longer than this. */
  get width(): number {
    return this.#stream.columns ?? USUAL.columns;
  }

  /** What there is no room for is left out: the ends of lines, and the last lines. */
  draw(lines: readonly string[]): void {
    const room = this.#room;
    const before = this.#height();
    this.#drawn = lines.slice(0, room).map((line) => cut(line, this.width));
    this.#stream.write(`${HIDE_CURSOR}${up(before)}${CLEAR_BELOW}${this.#drawn.map((line) => `${line}\n`).join("")}`);
  }

  /** As `draw`, and the last line says how many there is no room for. */
  drawCounted(lines: readonly string[]): void {
    const more = lines.length - this.#room;
    if (more <= 0) return this.draw(lines);
    this.draw([...lines.slice(0, this.#room - 1), `… ${more + 1} more lines, in a higher window`]);
  }

  /** What was drawn last is gone, and the cursor is there again. */
  end(): void {
    this.#stream.write(`${up(this.#height())}${CLEAR_BELOW}${SHOW_CURSOR}`);
    this.#drawn = [];
  }

  /** The last row is the cursor's. */
  get #room(): number {
    return (this.#stream.rows ?? USUAL.rows) - 1;
  }

  /** In rows as they are now: a terminal that became narrower has folded lines. */
  #height(): number {
    return this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(Array.from(line).length / this.width)), 0);
  }
}

/** `text` in lines of at most `width` characters, broken between words, each behind `indent`. */
export function wrapped(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && indent.length + longer.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((part) => `${indent}${part}\n`).join("");
}

function cut(line: string, width: number): string {
  const letters = Array.from(line);
  return letters.length <= width ? line : `${letters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

function up(rows: number): string {
  return rows === 0 ? "" : `\u001B[${rows}A`;
}
