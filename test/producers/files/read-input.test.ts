import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readInput } from "../../../producers/files/read-input.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const PLANTED = "999999990019";

function context(stdin: Readable = Readable.from([]), signal = new AbortController().signal) {
  return { stdin, signal, readFile: (path: string) => readFileSync(path, "utf8") };
}

describe("readInput", () => {
  it("takes JSON itself, from a file, and from standard input, in pieces and with a byte order mark", async () => {
    await using dir = await makeTempDir();
    const file = join(dir.path, "input.json");
    writeFileSync(file, '\uFEFF{"a":1}\n');
    expect(await readInput('{"a":1}', context())).toEqual({ a: 1 });
    expect(await readInput(`@${file}`, context())).toEqual({ a: 1 });
    expect(await readInput("-", context(Readable.from(['{"a"', ":1}\n"])))).toEqual({ a: 1 });
  });

  it("names the place of what is no JSON, and does not quote it", async () => {
    await using dir = await makeTempDir();
    const file = join(dir.path, "input.json");
    const broken = `{"aadhaar":"${PLANTED}`;
    writeFileSync(file, broken);
    const cases = [
      ["--input", broken, context()],
      [`the file ${file}`, `@${file}`, context()],
      ["standard input", "-", context(Readable.from([broken]))],
      ["standard input", "-", context()],
    ] as const;
    for (const [where, source, given] of cases) {
      const error: unknown = await readInput(source, given).catch((refusal: unknown) => refusal);
      expect(error).not.toHaveProperty("cause");
      expect(error).toMatchObject({
        code: ErrorCode.BAD_INPUT,
        message: `${where} is not valid JSON; it must be an object such as {"mobile":"…"}, in a shell within single quotes`,
      });
    }
  });

  it("says why a file cannot be read", async () => {
    await using dir = await makeTempDir();
    const folder = join(dir.path, "folder");
    mkdirSync(folder);
    const refused = async (path: string, why: string) =>
      await expect(readInput(`@${path}`, context())).rejects.toMatchObject({
        code: ErrorCode.BAD_FILE,
        message: `the file ${path} ${why}`,
      });
    await refused(join(dir.path, "nothing"), "does not exist");
    await refused(folder, "is a folder");
    await refused(join(folder, "x\0y"), "cannot be read (ERR_INVALID_ARG_VALUE)");
  });

  it("stops reading standard input at Ctrl-C", async () => {
    const stop = new AbortController();
    const reading = readInput("-", context(new PassThrough(), stop.signal));
    stop.abort();
    await expect(reading).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: "standard input was not read to its end",
    });
  });
});
