import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ErrorCode, SatyapanError } from "../../../../src/base/error.ts";
import { type Machine, machineFrom } from "../../../../src/redis/embedded/machine.ts";
import { findRedisServer } from "../../../../src/redis/embedded/server.ts";
import { readTestEnv } from "../../../support/env.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const execute = promisify(execFile);

describe("finding a server", () => {
  it.each([
    ["a redis-server before a valkey-server", { a: "valkey-server 8.1.0", b: "redis-server 7.4.1" }, "b/redis-server"],
    ["the first redis-server", { a: "redis-server 7.0.15", b: "redis-server 8.0.0" }, "a/redis-server"],
    ["a valkey-server", { a: "valkey-server 8.1.0" }, "a/valkey-server"],
    ["none that is too old", { a: "redis-server 6.0.16", b: "redis-server 6.2.0" }, "b/redis-server"],
    ["none that does not run", { a: "redis-server broken", b: "valkey-server 7.2.5" }, "b/valkey-server"],
  ])("on the PATH takes %s", async (_what, programs, found) => {
    await using dir = await makeTempDir();
    const machine = await makeMachine(dir.path, programs);
    expect(await findRedisServer(machine)).toBe(join(dir.path, found));
  });

  it.each([
    ["ID=fedora", "sudo dnf install valkey"],
    ['ID=nobara\nID_LIKE="rhel fedora"', "sudo dnf install valkey"],
    ['ID="alpine"', "sudo apk add valkey"],
  ])("fails on %j with the one command that gets a server", async (release, command) => {
    await using dir = await makeTempDir();
    const machine = await makeMachine(dir.path, { a: "redis-server 6.0.16" }, release);
    await expect(findRedisServer(machine)).rejects.toMatchObject({
      code: ErrorCode.REDIS_MISSING,
      message:
        "no Redis server: no redis-server or valkey-server of version 6.2 or newer is on the PATH; " +
        `${dir.path}/a/redis-server is 6.0.16.\nInstall one with: ${command}\nor set REDIS_URL to a server that runs elsewhere.`,
    });
  });

  it.each<[NodeJS.Platform, string]>([
    ["darwin", "brew install redis"],
    ["win32", "wsl --install"],
  ])("fails on %s with its command", async (platform, command) => {
    await using dir = await makeTempDir();
    const machine = await makeMachine(dir.path, {});
    await expect(findRedisServer({ ...machine, platform })).rejects.toThrow(`Install one with: ${command}`);
  });

  it("fails on a system that it does not know with the command of each that it knows", async () => {
    await using dir = await makeTempDir();
    const failing = findRedisServer(await makeMachine(dir.path, {}, "ID=other"));
    await expect(failing).rejects.toThrow(/Debian, Ubuntu: .*\n.*Fedora: .*\n.*Alpine: .*\n.*macOS: .*\n.*Windows: /);
  });
});

describe.skipIf(!existsSync("/etc/debian_version"))("on Debian and Ubuntu", () => {
  it("the distribution's own is fetched, by two at the same time without harm, and found in the cache folder from then on", async ({
    skip,
  }) => {
    await using dir = await makeTempDir();
    const machine = { ...readTestEnv().machine, path: "", cacheDir: join(dir.path, "cache") };
    const said: string[] = [];
    const find = async (): Promise<string> => findRedisServer(machine, (line) => said.push(line));
    const both = await Promise.all([find(), find()]).catch((error: unknown) => {
      if (error instanceof SatyapanError && error.message.includes("could not be fetched")) return skip(error.message);
      throw error;
    });
    expect(both[0]).toBe(both[1]);
    expect(said).toHaveLength(2);
    const { stdout } = await execute(both[0], ["--version"]);
    expect(stdout).toMatch(/server v=\d+\.\d+/);
    expect(await readdir(machine.cacheDir)).toHaveLength(1);
    expect(await find()).toBe(both[0]);
    expect(said).toHaveLength(2);
    // What a cache cleaner has taken is fetched again.
    await rm(join(both[0], "..", "usr"), { recursive: true });
    await execute(await find(), ["--version"]);
  });
});

describe("a machine", () => {
  it.each([
    [{ XDG_CACHE_HOME: "/caches" }, "/caches/satyapan"],
    [{ XDG_CACHE_HOME: "relative" }, "/home/a/.cache/satyapan"],
    [{}, "/home/a/.cache/satyapan"],
  ])("with %j keeps what it downloads in %s", (env, cacheDir) => {
    expect(machineFrom(env, "linux", "/home/a", "/tmp").cacheDir).toBe(cacheDir);
  });
});

/** Folders of a PATH, each with one program that says this version. */
async function makeMachine(
  dir: string,
  programs: Readonly<Record<string, string>>,
  release = "ID=fedora",
): Promise<Machine> {
  for (const [folder, program] of Object.entries(programs)) {
    const [name = "", version = ""] = program.split(" ");
    await mkdir(join(dir, folder));
    const says = version === "broken" ? "exit 1" : `echo "Redis server v=${version} sha=00000000:0"`;
    await writeFile(join(dir, folder, name), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  }
  const osReleaseFile = join(dir, "os-release");
  await writeFile(osReleaseFile, `NAME=x\n${release}\nVERSION_ID=1\n`);
  const path = Object.keys(programs).map((folder) => join(dir, folder));
  return {
    platform: "linux",
    path: path.join(delimiter),
    home: dir,
    cacheDir: join(dir, "cache"),
    tmpDir: dir,
    osReleaseFile,
  };
}
