import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import plugin from "../../lint/open-secret.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OXLINT = join(createRequire(import.meta.url).resolve("oxlint/package.json"), "../bin/oxlint");

/** As oxlint writes it. */
const RULE = `${plugin.meta.name}(${Object.keys(plugin.rules).join()})`;

/** Each line, and whether it opens a Secret. */
const LINES: readonly (readonly [code: string, opens: boolean])[] = [
  ["export const a = secret.open();", true],
  ["export const b = `${secret?.open()}`;", true],
  ['export const c = secret["open"]();', true],
  ["export const d = (secret.open)();", true],
  ["export const e = deep.secret!.open();", true],
  ["export const f = list.map((one) => one.open());", true],
  ["export const g = secret.open.call(secret);", true],
  ["export const h = secret.open.bind(secret);", true],
  ["export const i = Secret.prototype.open;", true],
  ["export const j = Redis.open();", false],
  ["export const k = fs.open(path);", false],
  ["export const l = load.open + 1;", false],
  ["export const m = open();", false],
  ["export const n = secret.opened();", false],
  ['export const o = fields["open"];', false],
  ["export class P { #open() {} p() { this.#open(); } }", false],
];

/** What the rule says of each file, by the repository's own configuration in a folder that holds nothing else. */
async function lint(files: Readonly<Record<string, string>>): Promise<string[]> {
  await using dir = await makeTempDir();
  for (const place of [".oxlintrc.json", "lint"])
    await cp(join(ROOT, place), join(dir.path, place), { recursive: true });
  for (const [file, code] of Object.entries(files)) {
    await mkdir(dirname(join(dir.path, file)), { recursive: true });
    await writeFile(join(dir.path, file), code);
  }
  const { promise, resolve } = Promise.withResolvers<string>();
  const args = [OXLINT, "--format", "unix", ...Object.keys(files)];
  execFile(process.execPath, args, { cwd: dir.path }, (_error, stdout, stderr) => resolve(stdout + stderr));
  const said = await promise;
  expect(said, "oxlint ran").toMatch(/open-secret|no-unused-vars/);
  return said.split("\n").filter((line) => line.includes(RULE));
}

describe("the lint rule satyapan/open-secret", () => {
  it("names every line that opens a Secret outside its rooms, and no other", async () => {
    const said = await lint({ "workers/planted.ts": LINES.map(([code]) => code).join("\n") });
    const named = said.map((line) => LINES[Number(/planted\.ts:(\d+):/.exec(line)?.[1]) - 1]?.[0]);
    expect(named).toEqual(LINES.flatMap(([code, opens]) => (opens ? [code] : [])));
  });

  it("is silent in the rooms alone that may open one", async () => {
    const code = "const unused = 1;\nexport const a = secret.open();";
    const allowed = [
      "src/privacy/deep/new.ts",
      "src/operations/eko.new-rail.ts",
      "src/redis/connection.ts",
      "test/new.ts",
    ];
    const refused = [
      ...["src/operations/catalogue.ts", "src/queues/names.ts", "src/telemetry/logger.ts", "src/providers/http.ts"],
      ...["producers/client.ts", "bin/main.ts", "bench/new.ts", "simulator/new.ts"],
    ];
    const said = await lint(Object.fromEntries([...allowed, ...refused].map((file) => [file, code])));
    expect(said.map((line) => line.split(":")[0] ?? "").toSorted()).toEqual(refused.toSorted());
  });
});
