import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Content, readTable } from "../../../producers/files/read-table.ts";
import { ErrorCode } from "../../../src/base/error.ts";

const TABLE = "mobile,csp_id\n9123456780,a1\n9123456781,a2\n";

async function lines(path: string | null, content: Content): Promise<number[]> {
  return (await Array.fromAsync(readTable(path, content))).map(({ line }) => line);
}

describe("a file within gzip", () => {
  it("is read as what is in it, byte by byte too, and also of several parts", async () => {
    const packed = gzipSync(TABLE);
    expect(await lines("x.csv.gz", packed)).toEqual([2, 3]);
    expect(await lines("x.csv", Readable.from(Array.from(packed, (byte) => Uint8Array.of(byte))))).toEqual([2, 3]);
    expect(await lines("x.csv.gz", Buffer.concat([packed, gzipSync("9123456782,a3\n")]))).toEqual([2, 3, 4]);
    expect(await lines("x.ndjson.gz", gzipSync('{"mobile":"9123456780"}\n'))).toEqual([1]);
    expect(await lines(null, gzipSync('{"mobile":"9123456780"}\n'))).toEqual([1]);
  });

  it.each([
    ["was cut off", gzipSync(TABLE).subarray(0, -9), "is a gzip file that ends too early: it was not copied whole"],
    [
      "is damaged",
      Buffer.concat([gzipSync(TABLE).subarray(0, -8), Buffer.alloc(8)]),
      "is a gzip file that is damaged (Z_DATA_ERROR)",
    ],
    ["holds nothing", gzipSync(""), "has no rows"],
    [
      "is a bomb of ordinary lines",
      gzipSync(`a,b\n${`${"7".repeat(400)},1\n`.repeat(80_000)}`),
      "is a gzip file that grows more than 100 times: it is no table of persons",
    ],
    [
      "is a bomb of one line",
      gzipSync(Buffer.alloc(100 * 1_048_576, "7")),
      "line 1: has more than 1048576 characters: it is no table of persons, or its line ends are missing",
    ],
  ])("is refused where it %s", async (_what, content, message) => {
    await expect(lines("x.csv.gz", content)).rejects.toMatchObject({
      code: ErrorCode.BAD_FILE,
      message: `x.csv.gz ${message}`,
    });
  });
});

describe("a line that never ends", () => {
  /** 100 MB without a line's end, as they come; says how many were asked for. */
  function endless(head: string): { readonly content: AsyncIterable<Uint8Array>; readonly taken: () => number } {
    let taken = 0;
    const content = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from(head));
      for (; taken < 1_600; taken++) yield Buffer.alloc(65_536, "7");
    };
    return { content: content(), taken: () => taken };
  }

  it.each([
    ["x.csv", "mobile,csp_id\n9123456780,", "x.csv line 2: has more than 1048576 characters"],
    ["x.csv", 'mobile,csp_id\n"9123456780,', "x.csv line 2: has more than 1048576 characters"],
    ["x.ndjson", '{"mobile":"', "x.ndjson line 1: has more than 1048576 characters"],
  ])("is given up soon: %s beginning with %j", async (path, head, message) => {
    const { content, taken } = endless(head);
    await expect(lines(path, content)).rejects.toThrow(message);
    expect(taken()).toBeLessThan(40);
  });

  it("is told from a quote that is never closed", async () => {
    const text = `mobile,csp_id\n"9123456780,a1\n${"9123456781,a2\n".repeat(100_000)}`;
    await expect(lines("x.csv", text)).rejects.toThrow('a quote (") is opened in it and never closed');
  });
});
