import type { DestinationStream } from "pino";

/**
 * Gathers the lines of one turn of the event loop into one write: a busy worker logs by the handful, and a write to a file
 * costs more than the line. `flush` before the process ends, or the last ones are lost.
 */
export class LogLines implements DestinationStream {
  readonly #destination: DestinationStream;
  #waiting = "";

  constructor(destination: DestinationStream) {
    this.#destination = destination;
  }

  write(line: string): void {
    if (this.#waiting === "") setImmediate(() => this.flush());
    this.#waiting += line;
  }

  flush(): void {
    if (this.#waiting === "") return;
    const lines = this.#waiting;
    this.#waiting = "";
    this.#destination.write(lines);
  }
}
