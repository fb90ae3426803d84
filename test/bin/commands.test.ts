import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, Help } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../bin/commands.ts";
import type { CommandContext } from "../../src/command/context.ts";
import { testKeys } from "../support/client.ts";
import { satyapan } from "../support/command.ts";
import { startTestRedis } from "../support/redis.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let dir: TempDir;
beforeAll(async () => void (dir = await makeTempDir()));
afterAll(async () => await dir[Symbol.asyncDispose]());

/** The packages of which a command loads modules. */
async function loadedBy(...args: string[]): Promise<string> {
  const hook = pathOf("../support/loaded-packages.ts");
  const program = [process.execPath, "--import", hook, pathOf("../../bin/main.ts")] as const;
  const { code, stderr } = await satyapan(args, { cwd: dir.path, program });
  expect(code).toBe(0);
  return /^loaded: (.*)$/m.exec(stderr)?.[1] ?? "";
}

describe("a command's start", () => {
  it.concurrent.each([["--version"], ["--help"], ["help"]])("%s loads commander alone", async (...args) => {
    expect(await loadedBy(...args)).toBe("commander");
  });

  it.concurrent("operations loads the schemas of the catalogue, but no Redis, HTTP or log", async () => {
    const packages = await loadedBy("operations");
    expect(packages).toMatch(/\bzod\b/);
    expect(packages).not.toMatch(/\b(bullmq|ioredis|undici|pino|prom-client|csv-parse)\b/);
  });

  it.concurrent("one that works with Redis loads neither the worker nor the simulator", async () => {
    const packages = await loadedBy("submit", "--help");
    expect(packages).toMatch(/\bbullmq\b/);
    expect(packages).not.toMatch(/\b(pino|prom-client)\b/);
  });
});

describe("satyapan", () => {
  it("prints the version of its package.json", async () => {
    const { version } = JSON.parse(readFileSync(pathOf("../../package.json"), "utf8")) as { version: string };
    expect(await satyapan(["--version"], { cwd: dir.path })).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it.each([
    [["submit"], "--each <file>"],
    [["batch", "results"], "--only <states>"],
  ])("help %j prints what --help of it prints", async (names, flag) => {
    const [one, other] = await Promise.all(
      [
        ["help", ...names],
        [...names, "--help"],
      ].map(async (args) => await satyapan(args, { cwd: dir.path })),
    );
    expect(one).toMatchObject({ code: 0, stdout: other?.stdout });
    expect(one?.stdout).toContain(flag);
  });

  it("of a wrong option of a command's own command says where its help is", async () => {
    const { code, stderr } = await satyapan(["batch", "show", "--jsn", "x"], { cwd: dir.path });
    expect([code, stderr]).toEqual([
      2,
      "satyapan: unknown option '--jsn' (Did you mean --json?); see `satyapan batch show --help`\n",
    ]);
    expect((await satyapan(["help", "batch", "nope"], { cwd: dir.path })).code).toBe(2);
  });

  it("of an unknown command helps with a list of those there are", async () => {
    const { code, stdout, stderr } = await satyapan(["help", "sumbit"], { cwd: dir.path });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^ {2}submit \[options\] <operation> /m);
  });
});

describe("the list of commands", () => {
  it.each(COMMANDS.map((entry) => [entry.name, entry] as const))(
    "says of %s what the command itself takes",
    async (name, { usage, load }) => {
      const command = new Command(name);
      const define = await load();
      define(command, {} as CommandContext);
      expect(`${name} ${usage}`.trimEnd()).toBe(new Help().subcommandTerm(command));
    },
  );

  it("gives every --no-… a default of its own: commander's comes before a late command has its options", async () => {
    const without = await Promise.all(
      COMMANDS.map(async ({ name, load }) => {
        const command = new Command(name);
        (await load())(command, {} as CommandContext);
        return [command, ...command.commands].flatMap(({ options }) =>
          options.filter(({ negate, defaultValue }) => negate && defaultValue === undefined).map(({ long }) => long),
        );
      }),
    );
    expect(without.flat()).toEqual([]);
  });
});

describe("satyapan scan", () => {
  it("looks into Redis where nobody said --no-redis, as a process too", async () => {
    await using redis = await startTestRedis();
    await redis.client().set("a", "1");
    const env = { ...testKeys(), REDIS_URL: redis.url };
    const { code, stdout } = await satyapan(["scan", "--json"], { cwd: dir.path, env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ found: 0, redis: { keys: 1 } });
  });
});
