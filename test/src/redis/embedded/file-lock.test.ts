import { randomUUID } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { withFileLock } from "../../../../src/redis/embedded/file-lock.ts";
import { identityOf } from "../../../../src/redis/embedded/process-identity.ts";
import { Script } from "../../../support/script.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

describe("a file lock", () => {
  it("lets processes in one by one, also when one of them is killed while it holds it", async () => {
    await using dir = await makeTempDir();
    const [lock, file] = [join(dir.path, "lock"), join(dir.path, "count")];
    await writeFile(file, "0");
    await using victim = new Script("lock-counter.ts", [lock, file, "100000"]);
    const others = [1, 2].map(() => new Script("lock-counter.ts", [lock, file, "40"]));
    for (let times = 0; times < 20; times++) await victim.line();
    await victim.kill9();
    await Promise.all(others.map(async (script) => script.ended));
    expect(others.map((script) => script.lines.length)).toEqual([40, 40]);
    const count = Number(await readFile(file, "utf8")) - victim.lines.length - 80;
    // Its last time may have been written and not said.
    expect([0, 1]).toContain(count);
  });

  it("lets calls of one process in one by one", async () => {
    await using dir = await makeTempDir();
    const lock = join(dir.path, "lock");
    let inside = 0;
    let most = 0;
    const visit = async (): Promise<void> =>
      withFileLock(lock, 10_000, async () => {
        most = Math.max(most, ++inside);
        await readdir(dir.path);
        inside--;
      });
    await Promise.all(Array.from({ length: 20 }, visit));
    expect(most).toBe(1);
    expect(await readdir(dir.path)).toEqual([]);
  });

  it.each([
    ["a process that has ended", JSON.stringify({ pid: 4_194_305, startedAt: "1", nonce: randomUUID() })],
    [
      "another process that had this one's number",
      JSON.stringify({ pid: process.pid, startedAt: "1", nonce: randomUUID() }),
    ],
    ["a machine that went down", ""],
  ])("left by %s is taken over by one at a time", async (_who, content) => {
    await using dir = await makeTempDir();
    const lock = join(dir.path, "lock");
    await writeFile(lock, content);
    let inside = 0;
    const visits = Array.from({ length: 5 }, async () =>
      withFileLock(lock, 10_000, async () => {
        // Long enough for the others to do what they would do wrong.
        expect(++inside).toBe(1);
        for (let times = 0; times < 600; times++) await readdir(dir.path);
        inside--;
      }),
    );
    await Promise.all(visits);
    expect(await readdir(dir.path)).toEqual([]);
  });

  it("is taken over too if whoever was taking it over was killed", async () => {
    await using dir = await makeTempDir();
    const lock = join(dir.path, "lock");
    const dead = () => ({ pid: 4_194_305, startedAt: "1", nonce: randomUUID() });
    const first = dead();
    await writeFile(lock, JSON.stringify(first));
    await writeFile(`${lock}.break-${first.nonce}`, JSON.stringify(dead()));
    await withFileLock(lock, 10_000, async () => {});
    expect(await readdir(dir.path)).toEqual([]);
  });

  it("names the process that holds it for too long", async () => {
    await using dir = await makeTempDir();
    const lock = join(dir.path, "lock");
    await writeFile(lock, JSON.stringify({ ...identityOf(process.pid), nonce: randomUUID() }));
    await expect(withFileLock(lock, 50, async () => {})).rejects.toMatchObject({
      code: ErrorCode.REDIS_UNREACHABLE,
      message: expect.stringContaining(`held by process ${process.pid} for over 0.05 s`) as string,
    });
  });

  it("is free again after what was done in it failed", async () => {
    await using dir = await makeTempDir();
    const lock = join(dir.path, "lock");
    const failing = withFileLock(lock, 10_000, async () => Promise.reject(new Error("as planned")));
    await expect(failing).rejects.toThrow("as planned");
    await withFileLock(lock, 50, async () => {});
  });
});
