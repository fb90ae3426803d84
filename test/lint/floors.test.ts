import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { floorProblems, importsOf, type Tree } from "../../lint/floors.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HOUSES = ["src", "workers", "producers", "simulator"];

/** All TypeScript of the houses. */
function readTree(): Tree {
  const paths = HOUSES.flatMap((house) =>
    readdirSync(join(ROOT, house), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `${house}/${name.replaceAll("\\", "/")}`),
  );
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
}

/** Made-up files, each given by its path and what it imports. */
const tree = (files: Readonly<Record<string, string>>): Tree => new Map(Object.entries(files));

describe("the floors of the house", () => {
  it("hold: every import of it goes down, and none in a circle", () => {
    const real = readTree();
    expect(real.size).toBeGreaterThan(250);
    expect([...real.values()].flatMap(importsOf).length).toBeGreaterThan(1_000);
    expect(floorProblems(real)).toEqual([]);
  });

  it("have a sign at each door: what a room is for, and what may not enter", () => {
    const folders = new Set([...readTree().keys()].filter((path) => !path.startsWith("simulator")).map(dirname));
    expect([...folders].filter((folder) => !existsSync(join(ROOT, folder, "README.md")))).toEqual([]);
  });

  it("let a room import what lies below it, and itself", () => {
    const fine = tree({
      "src/base/error.ts": 'import { z } from "zod";',
      "src/redis/url.ts": 'import { a } from "../base/error.ts";\nimport type { B } from "./tls.ts";',
      "src/redis/embedded/server.ts": 'import { a } from "../url.ts";',
      "src/privacy/keys/ring.ts": 'import { a } from "../sealing/data-key.ts";',
      "src/queues/adapter.ts": 'import { Queue } from "bullmq";',
      "src/config/environment.ts": "export const all = { ...process.env };",
      "src/command/redis.ts": 'import { a } from "../config/settings.ts";',
      "workers/run.ts": 'import { a } from "../src/redis/url.ts";\nimport { b } from "./own.ts";',
      "producers/client.ts": 'import { a } from "./jobs/intake.ts";',
      "producers/jobs/intake.ts": 'import { a } from "../base/actor.ts";\nimport { b } from "../gates/gates.ts";',
      "simulator/world.ts": 'import { a } from "../src/base/error.ts";',
    });
    expect(floorProblems(fine)).toEqual([]);
  });

  it.each([
    [
      "a type from above",
      { "src/redis/a.ts": 'import type { S } from "../config/settings.ts";' },
      "does not lie above",
    ],
    ["an export from above", { "src/base/a.ts": 'export { a } from "../redis/url.ts";' }, "does not lie above"],
    ["a lazy one from above", { "src/base/a.ts": 'await import("../redis/url.ts")' }, "does not lie above"],
    ["one over several lines", { "src/base/a.ts": 'import {\n  a,\n} from "../redis/url.ts";' }, "does not lie above"],
    ["its neighbour of one floor", { "src/limits/a.ts": 'import { a } from "../privacy/b.ts";' }, "does not lie above"],
    ["what seals from what keeps", { "src/privacy/sealing/a.ts": 'import "../keys/b.ts";' }, "does not lie above"],
    ["what only commands print", { "producers/jobs/a.ts": 'import "../report/b.ts";' }, "does not lie above"],
    ["the library's face", { "producers/jobs/a.ts": 'import "../client.ts";' }, "does not lie above"],
    ["a room without a floor", { "src/base/a.ts": 'import "../attic/b.ts";' }, "src/attic has no floor yet"],
    ["a worker from below", { "src/redis/a.ts": 'import "../../workers/b.ts";' }, "src does not import workers"],
    [
      "producers",
      { "workers/a.ts": 'import type { B } from "../producers/b.ts";' },
      "workers does not import producers",
    ],
    ["a test", { "producers/a.ts": 'import { b } from "../test/b.ts";' }, "producers does not import test"],
    ["what it tests", { "simulator/a.ts": 'import "../src/operations/b.ts";' }, "simulator does not import src/oper"],
    ["BullMQ", { "workers/a.ts": 'import type { Job } from "bullmq";' }, "only src/queues imports bullmq"],
    ["its environment", { "workers/a.ts": "const a = process.env;" }, "only src/config/environment.ts reads"],
    ["its environment aside", { "src/base/a.ts": "const { env } = process;" }, "only src/config/environment.ts reads"],
    [
      "a type in a circle",
      {
        "workers/a.ts": 'import type { B } from "./b.ts";',
        "workers/b.ts": 'import { c } from "./c.ts";',
        "workers/c.ts": 'import { a } from "./a.ts";',
        "workers/d.ts": 'import { a } from "./a.ts";',
      },
      "a circle: workers/a.ts, workers/b.ts, workers/c.ts",
    ],
  ])("do not let a file import %s", (_what, files, problem) => {
    expect(floorProblems(tree(files))).toEqual([expect.stringContaining(problem)]);
  });
});
