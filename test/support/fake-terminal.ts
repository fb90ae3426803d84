import { PassThrough } from "node:stream";

/** Standard input that is a terminal: it is typed at key by key, and knows how it was set. */
export class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  /** While it is raw, the terminal itself shows nothing of what is typed. */
  isRaw = false;

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }

  type(keys: string): void {
    this.write(keys);
  }
}

/** A screen, and all that was ever on it. */
export class FakeScreen extends PassThrough {
  readonly isTTY = true;
  shown = "";

  constructor() {
    super();
    this.on("data", (bytes: Buffer) => (this.shown += bytes.toString("utf8")));
  }
}
