import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { openTableOf } from "../../../producers/command/batch-flags.ts";
import { openTwice, pipedTwice, type TwiceRead } from "../../../producers/files/twice-read.ts";
import type { CommandContext } from "../../../src/command/context.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const all = async (content: TwiceRead): Promise<string> => String(await buffer(Readable.from(content.pieces())));

describe("bytes that are read twice", () => {
  it("are the same both times, from a file of many pieces and from a pipe", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "rows.csv");
    const text = "9123456780,a1\n".repeat(20_000);
    writeFileSync(path, text);
    await using file = await openTwice(path, dir.path);
    await using pipe = await pipedTwice(Readable.from([Buffer.from("one "), Buffer.from("two")]), dir.path);
    for (const pass of ["first", "second"]) {
      expect((await all(file)) === text, pass).toBe(true);
      expect(await all(pipe), pass).toBe("one two");
    }
  });

  it.each([
    ["another byte", (path: string) => writeFileSync(path, "9123456781\n", { flag: "r+" })],
    ["more at its end", (path: string) => appendFileSync(path, "1")],
    ["less", (path: string) => writeFileSync(path, "9123")],
  ])("are refused the second time where the file has %s by then", async (_what, change) => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "rows.csv");
    writeFileSync(path, "9123456780\n");
    await using file = await openTwice(path, dir.path);
    await all(file);
    change(path);
    await expect(all(file)).rejects.toMatchObject({
      code: ErrorCode.BAD_FILE,
      message: `${path} was changed while it was read`,
    });
  });

  it("are not to be had from a folder", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "folder");
    mkdirSync(path);
    await expect(openTwice(path, dir.path)).rejects.toMatchObject({ message: `the file ${path} is a folder` });
  });

  it("end with the command, also what never ends by itself", async () => {
    await using dir = await makeTempDir();
    const stop = new AbortController();
    const opening = openTwice("/dev/zero", dir.path, stop.signal);
    stop.abort();
    await expect(opening).rejects.toMatchObject({ code: ErrorCode.BAD_INPUT });
    const path = join(dir.path, "rows.csv");
    writeFileSync(path, `mobile,csp_id\n${",\n".repeat(100_000)}`);
    await using stack = new AsyncDisposableStack();
    const context = { stdin: Readable.from([]), signal: stop.signal, machine: { tmpDir: dir.path } };
    const { table } = await openTableOf(context as unknown as CommandContext, path, stack);
    await expect(Array.fromAsync(table())).rejects.toMatchObject({ code: ErrorCode.INTERRUPTED });
  });
});
