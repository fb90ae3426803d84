import { existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder } from "../../../src/base/make-folder.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("makeFolder", () => {
  it("makes a folder and those around it, for its user alone, and leaves one that is there", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "a", "b", "c");
    makeFolder(path);
    makeFolder(path);
    expect(statSync(join(dir.path, "a")).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    symlinkSync(path, join(dir.path, "link"));
    makeFolder(join(dir.path, "link"));
  });

  it("says so where a file stands in its place, or around it", async () => {
    await using dir = await makeTempDir();
    const file = join(dir.path, "file");
    writeFileSync(file, "");
    expect(() => makeFolder(file)).toThrow("EEXIST");
    expect(() => makeFolder(join(file, "a"))).toThrow("ENOTDIR");
  });

  it.skipIf(!existsSync("/proc/self"))("says so where the system makes none, such as /proc", () => {
    expect(() => makeFolder("/proc/satyapan/a")).toThrow("ENOENT");
  });
});
