import { createReadStream } from "node:fs";

export interface FileLine {
  readonly text: string;
  /** False for what stands after the last line's end. */
  readonly isWhole: boolean;
}

/** Lines end with `\n` and nothing else: `node:readline` would also split at other ends, which JSON may hold. */
export async function* readFileLines(path: string): AsyncGenerator<FileLine> {
  let rest = "";
  for await (const chunk of createReadStream(path, "utf8") as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) yield { text, isWhole: true };
  }
  if (rest !== "") yield { text: rest, isWhole: false };
}
