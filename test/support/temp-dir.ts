import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertNothingLeaked } from "./leaks.ts";

export interface TempDir extends AsyncDisposable {
  readonly path: string;
}

/** A folder of one test's own, gone when it is disposed of; an embedded Redis in it must have kept no person's number. */
export async function makeTempDir(): Promise<TempDir> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "satyapan-test-")));
  const remove = async (): Promise<void> => {
    try {
      await assertNothingLeaked(join(path, ".satyapan"));
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  };
  return { path, [Symbol.asyncDispose]: remove };
}
