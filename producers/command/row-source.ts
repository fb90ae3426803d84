import { ForeignColumns } from "../files/foreign-columns.ts";
import { readRows } from "../files/read-rows.ts";
import type { Content } from "../files/read-table.ts";
import { CHUNK } from "../jobs/intake.ts";
import type { InputSource } from "../jobs/submission.ts";

/** The rows of a file as inputs of one operation. */
export class RowSource implements InputSource {
  readonly name: string;
  /** Where each row begins in the file, once it was gone through. */
  readonly lines: number[] = [];
  readonly #operation: string;
  readonly #path: string | null;
  readonly #content: () => Content;
  readonly #say: (line: string) => void;
  #isRead = false;

  /** `path`: null for standard input; `say`: is told which columns are left out. */
  constructor(operation: string, path: string | null, content: () => Content, say: (line: string) => void) {
    this.name = path ?? "standard input";
    this.#operation = operation;
    this.#path = path;
    this.#content = content;
    this.#say = say;
  }

  async *chunks(): AsyncGenerator<readonly unknown[]> {
    const foreign = new ForeignColumns(this.#operation);
    let chunk: unknown[] = [];
    for await (const { line, input } of readRows(this.#path, this.#content())) {
      if (!this.#isRead) this.lines.push(line);
      chunk.push(foreign.without(input));
      if (chunk.length < CHUNK) continue;
      yield chunk;
      chunk = [];
    }
    if (chunk.length > 0) yield chunk;
    if (!this.#isRead && foreign.left.size > 0) {
      this.#say(
        `${this.#operation} takes no ${[...foreign.left].join(", ")}: left out, as columns for other operations`,
      );
    }
    this.#isRead = true;
  }
}
