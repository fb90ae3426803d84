import { execFileSync } from "node:child_process";
import { accessSync, constants, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { OPERATION_NAMES } from "../../src/operations/catalogue.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { readTestEnv } from "../support/env.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const STARTER = fileURLToPath(new URL("../../bin/satyapan.js", import.meta.url));

/** A Node of this machine that is older than 24, or null. */
const OLD_NODE = readTestEnv()
  .machine.path.split(delimiter)
  .filter((folder) => isAbsolute(folder))
  .map((folder) => join(folder, "node"))
  .find((node) => versionOf(node) < 24);

function versionOf(node: string): number {
  try {
    accessSync(node, constants.X_OK);
    return Number(execFileSync(node, ["--version"], { encoding: "utf8" }).split(".")[0]?.slice(1));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

describe.each([
  ["this Node", process.execPath],
  ["an older Node", OLD_NODE],
])("the starter, on %s", (_which, node) => {
  it.skipIf(node === undefined)("runs the command with its arguments, output and exit code", async () => {
    await using dir = await makeTempDir();
    const place = { cwd: dir.path, program: [node ?? "", STARTER] } as const;
    const listed = await satyapan(["operations", "--json"], place);
    expect(listed).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(listed.stdout)).toHaveLength(OPERATION_NAMES.length);
    expect(await satyapan(["operations", "no.such"], place)).toMatchObject({ code: 2, stdout: "" });
  });

  it.skipIf(node === undefined).each(["SIGTERM", "SIGINT"] as const)("passes %s on", async (signal) => {
    await using dir = await makeTempDir();
    await using simulator = new RunningCommand(["simulator", "--port", "0"], {
      cwd: dir.path,
      program: [node ?? "", STARTER],
    });
    await simulator.said("Listening on");
    simulator.kill(signal);
    expect(await simulator.ended).toMatchObject({ code: 0, stderr: "" });
  });
});

it.skipIf(OLD_NODE === undefined)("says which Node it needs where there is none", async () => {
  await using dir = await makeTempDir();
  const starter = join(dir.path, "satyapan.js");
  copyFileSync(STARTER, starter);
  writeFileSync(join(dir.path, "package.json"), '{"type":"module"}');
  const ran = await satyapan(["operations"], { cwd: dir.path, program: [OLD_NODE ?? "", starter] });
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(ran.stderr).toMatch(/^satyapan needs Node 24 or newer, this is v\d+\.\d+\.\d+; .*\n$/);
});

it.skipIf(OLD_NODE === undefined)(
  "says that it was installed with --ignore-scripts, where that is the cause",
  async () => {
    await using dir = await makeTempDir();
    mkdirSync(join(dir.path, "bin"));
    mkdirSync(join(dir.path, "node_modules/node"), { recursive: true });
    const starter = join(dir.path, "bin/satyapan.js");
    copyFileSync(STARTER, starter);
    for (const file of ["package.json", "node_modules/node/package.json"])
      writeFileSync(join(dir.path, file), '{"type":"module"}');
    const ran = await satyapan(["operations"], { cwd: dir.path, program: [OLD_NODE ?? "", starter] });
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toMatch(
      /is not there because it was installed with --ignore-scripts: `npm rebuild node --ignore-scripts=false` brings it\n$/,
    );
    expect(ran.stderr).not.toContain("npm ci");
  },
);
