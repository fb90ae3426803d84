import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as library from "../../bin/library.js";
import * as sources from "../../producers/index.ts";
import { startSimulator, type Simulator } from "../../simulator/simulator.ts";
import { RunningCommand } from "../support/command.ts";
import { readTestEnv } from "../support/env.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
const PROGRAM = join(ROOT, "examples/submit.ts");
const STRICT = {
  compilerOptions: {
    ...{ target: "es2024", module: "nodenext", lib: ["es2024", "esnext.disposable"], types: ["node"] },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
    ...{ noPropertyAccessFromIndexSignature: true, skipLibCheck: false, noEmit: true },
  },
  include: ["*.ts"],
};

let dir: TempDir;
let simulator: Simulator;
let worker: RunningCommand;
beforeAll(async () => {
  dir = await makeTempDir();
  simulator = await startSimulator({ configuration: { pendingWindowMs: 0 } });
  // Without REDIS_URL: the embedded Redis of this folder, which the program below finds in its working folder.
  const env = { ...simulator.env, METRICS_PORT: "0", OTP_COOLDOWN: "0s" };
  worker = new RunningCommand(["worker"], { cwd: dir.path, env });
  await worker.said("worker ready");
});
afterAll(async () => {
  await worker.stop();
  await simulator.close();
  await dir[Symbol.asyncDispose]();
});

const run = async (file: string) => {
  const program = new RunningCommand([], { cwd: dir.path, env: simulator.env, program: [process.execPath, file] });
  return await program.ended;
};

describe("the README's program", () => {
  it("is examples/submit.ts, word for word", () => {
    expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(`\`\`\`ts\n${readFileSync(PROGRAM, "utf8")}\`\`\``);
  });

  it("runs in a clone as it stands, with nothing built", async () => {
    expect(Object.keys(library).toSorted()).toEqual(Object.keys(sources).toSorted());
    expect(await run(PROGRAM)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^succeeded \S+\n$/) as unknown,
      stderr: "",
    });
  });

  it("runs with the packed package, and passes a strict tsc that checks the libraries too", async () => {
    const place = join(dir.path, "installed");
    const into = join(place, "node_modules/satyapan");
    mkdirSync(into, { recursive: true });
    const { path, home } = readTestEnv().machine;
    const env = { PATH: path, HOME: home };
    execFileSync("npm", ["pack", "--pack-destination", place, "--silent"], { cwd: ROOT, env });
    const [packed = ""] = readdirSync(place).filter((name) => name.endsWith(".tgz"));
    execFileSync("tar", ["-xzf", join(place, packed), "-C", into, "--strip-components=1"]);
    // What npm would install beside it: the package's own dependencies, and the types of Node, which such a program has.
    symlinkSync(join(ROOT, "node_modules"), join(into, "node_modules"));
    symlinkSync(join(ROOT, "node_modules/@types"), join(place, "node_modules/@types"));
    writeFileSync(join(place, "package.json"), '{"type":"module"}');
    writeFileSync(join(place, "tsconfig.json"), JSON.stringify(STRICT));
    copyFileSync(PROGRAM, join(place, "submit.ts"));
    expect(readdirSync(into).toSorted()).not.toContain("producers");

    const checked = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", place], {
      encoding: "utf8",
    });
    expect(checked.stdout).toBe("");
    expect(checked.status).toBe(0);
    // The first program's job has the same id, and is not repeated.
    expect(await run(join(place, "submit.ts"))).toMatchObject({ code: 0, stderr: "" });
  });

  it("finds wrong input when it is compiled", () => {
    const wrong = join(dir.path, "installed/wrong.ts");
    writeFileSync(wrong, readFileSync(PROGRAM, "utf8").replace("purpose:", "porpoise:"));
    const checked = spawnSync(
      process.execPath,
      [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", join(wrong, "..")],
      { encoding: "utf8" },
    );
    expect(checked.stdout).toMatch(/^wrong\.ts|wrong\.ts\(/m);
    expect(checked.stdout).toContain("porpoise");
  });
});
