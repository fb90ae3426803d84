import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { pipedTwice } from "../../../producers/files/twice-read.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const ROW = "9876501234,999999990019\n";
const MUCH = Buffer.from(ROW.repeat(500_000));

function* pieces(): Generator<Buffer> {
  for (let at = 0; at < MUCH.length; at += 65_536) yield MUCH.subarray(at, at + 65_536);
}

it("keeps much of what is piped in a file without a name, in which nobody can read it, and gives it back twice", async () => {
  await using dir = await makeTempDir();
  await using piped = await pipedTwice(Readable.from(pieces()), dir.path);
  expect(readdirSync(dir.path)).toEqual([]);
  const open = readdirSync("/proc/self/fd").map((fd) => join("/proc/self/fd", fd));
  const spills = open.filter((fd) => linkOf(fd).startsWith(dir.path));
  expect(spills).toHaveLength(1);
  const kept = readFileSync(spills[0] ?? "");
  expect(kept.length).toBeGreaterThan(3_000_000);
  expect(kept.includes("9876501234")).toBe(false);
  for (const pass of ["first", "second"]) {
    expect(MUCH.equals(await buffer(Readable.from(piped.pieces()))), pass).toBe(true);
  }
});

it("says where it needs room when there is none", async () => {
  await expect(pipedTwice(Readable.from(pieces()), "/nowhere/at/all")).rejects.toMatchObject({
    code: ErrorCode.BAD_FILE,
    message: expect.stringContaining("is kept in /nowhere/at/all, sealed") as string,
  });
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // the folder's own, closed again
  }
}
