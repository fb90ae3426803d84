import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as library from "../../bin/library.js";
import * as sources from "../../producers/index.ts";
import { startSimulator, type Simulator } from "../../simulator/simulator.ts";
import { type Ran, RunningCommand } from "../support/command.ts";
import { makeTempDir, type TempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
const PROGRAM = join(ROOT, "examples/submit.ts");
const BATCH = join(ROOT, "examples/batch.ts");
const FILE = join(ROOT, "examples/file.ts");
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

/** Never while this process stands still: the simulator is in it. */
const run = async (...program: [string, ...string[]]): Promise<Ran> =>
  await new RunningCommand([], { cwd: dir.path, env: simulator.env, program }).ended;
const compile = async (place: string): Promise<Ran> =>
  await run(process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "-p", place);

/** Also the second time: the same rows are the same batch. */
const BATCH_RAN = {
  code: 0,
  stdout: expect.stringMatching(/^finished 3\nF-1 succeeded \S+\nF-2 succeeded \S+\nF-3 succeeded \S+\n$/m) as unknown,
  stderr: "",
};

describe("the batch of a program in docs/batches.md", () => {
  it("is examples/batch.ts, word for word", () => {
    expect(readFileSync(join(ROOT, "docs/batches.md"), "utf8")).toContain(
      `\`\`\`ts\n${readFileSync(BATCH, "utf8")}\`\`\``,
    );
  });

  it("runs in a clone as it stands", async () => {
    expect(await run(process.execPath, BATCH)).toMatchObject(BATCH_RAN);
  });

  it("has a file too, which is examples/file.ts, word for word, and runs in a clone as it stands", async () => {
    const text = `\`\`\`ts\n${readFileSync(FILE, "utf8")}\`\`\``;
    expect(readFileSync(join(ROOT, "docs/batches.md"), "utf8")).toContain(text);
    expect(await run(process.execPath, FILE)).toMatchObject({ code: 0, stdout: "taken in 0 bad\ntrue\n", stderr: "" });
  });
});

const COMMON_JS = `
const { createClient, ErrorCode, SatyapanError } = require("LIBRARY");
try { createClient({ settings: { EKO_QUOTA: "many" } }); }
catch (error) { console.log(error instanceof SatyapanError, error.code === ErrorCode.BAD_SETTINGS); }
`;
const COMMON_JS_RAN = { code: 0, stdout: "true true\n", stderr: "" };

describe("the README's program", () => {
  it("is examples/submit.ts, word for word", () => {
    expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(`\`\`\`ts\n${readFileSync(PROGRAM, "utf8")}\`\`\``);
  });

  it("runs in a clone as it stands, with nothing built", async () => {
    expect(Object.keys(library).toSorted()).toEqual(Object.keys(sources).toSorted());
    expect(await run(process.execPath, PROGRAM)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^succeeded \S+\n$/) as unknown,
      stderr: "",
    });
  });

  it("runs with the packed package, and passes a strict tsc that checks the libraries too", async () => {
    const place = join(dir.path, "installed");
    const into = join(place, "node_modules/satyapan");
    mkdirSync(into, { recursive: true });
    expect(await run("npm", "--prefix", ROOT, "pack", ROOT, "--pack-destination", place, "--silent")).toMatchObject({
      code: 0,
    });
    const [packed = ""] = readdirSync(place).filter((name) => name.endsWith(".tgz"));
    expect(await run("tar", "-xzf", join(place, packed), "-C", into, "--strip-components=1")).toMatchObject({
      code: 0,
    });
    // What npm would install beside it: the package's own dependencies, and the types of Node, which such a program has.
    symlinkSync(join(ROOT, "node_modules"), join(into, "node_modules"));
    symlinkSync(join(ROOT, "node_modules/@types"), join(place, "node_modules/@types"));
    writeFileSync(join(place, "package.json"), '{"type":"module"}');
    writeFileSync(join(place, "tsconfig.json"), JSON.stringify(STRICT));
    copyFileSync(PROGRAM, join(place, "submit.ts"));
    copyFileSync(BATCH, join(place, "batch.ts"));
    expect(readdirSync(into).toSorted()).not.toContain("producers");

    expect(await compile(place)).toMatchObject({ code: 0, stdout: "" });
    // The first program's job has the same id, and is not repeated.
    expect(await run(process.execPath, join(place, "submit.ts"))).toMatchObject({ code: 0, stderr: "" });
    expect(await run(process.execPath, join(place, "batch.ts"))).toMatchObject(BATCH_RAN);
    // Plain JavaScript of CommonJS, which cannot wait for what it requires.
    writeFileSync(join(place, "plain.cjs"), COMMON_JS.replace("LIBRARY", "satyapan"));
    expect(await run(process.execPath, join(place, "plain.cjs"))).toMatchObject(COMMON_JS_RAN);
  });

  it("is required by a CommonJS program, in a clone too", async () => {
    const program = join(dir.path, "plain.cjs");
    writeFileSync(program, COMMON_JS.replace("LIBRARY", join(ROOT, "bin/library.js")));
    expect(await run(process.execPath, program)).toMatchObject(COMMON_JS_RAN);
  });

  it("finds wrong input when it is compiled", async () => {
    const wrong = join(dir.path, "installed/wrong.ts");
    writeFileSync(wrong, readFileSync(PROGRAM, "utf8").replace("purpose:", "porpoise:"));
    const wrongRow = join(dir.path, "installed/wrong-row.ts");
    writeFileSync(wrongRow, readFileSync(BATCH, "utf8").replace("csp_id:", "cspid:"));
    const { stdout } = await compile(join(wrong, ".."));
    expect(stdout).toMatch(/^wrong\.ts|wrong\.ts\(/m);
    expect(stdout).toContain("porpoise");
    expect(stdout).toMatch(/^\S*wrong-row\.ts\(/m);
  });
});
