import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { startProgress } from "../../../producers/report/progress.ts";

/** What a bar from 0 to 3 of 3 writes. */
function bar(isTTY: boolean): string {
  const stderr = Object.assign(new PassThrough(), { isTTY });
  const progress = startProgress(stderr, "accepted", 3);
  progress.update(3);
  progress.stop();
  return String(stderr.read() ?? "");
}

describe("progress", () => {
  it("is a bar on a terminal, which does not know the time before anything has happened", () => {
    const text = stripVTControlCharacters(bar(true));
    expect(text).toMatch(/accepted ░+ 0\/3 {2}\? left/);
    expect(text).toMatch(/accepted █+ 3\/3/);
  });

  it("is nothing elsewhere", () => {
    expect(bar(false)).toBe("");
  });
});
