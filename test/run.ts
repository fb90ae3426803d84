import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leaksIn } from "./support/leaks.ts";

// `npm test`: every check, then every test, then the tripwire over what the tests left; ends with a line
// `N passed, N failed`. All of them run, also after a failure.
const CHECKS = ["types", "lint", "format", "unused"];
/** Compiled sources, which have the examples' numbers in them (test/support/command.ts). */
const COMPILED = "satyapan-test-compile-cache";

async function run(command: string, args: readonly string[], extra: Record<string, string> = {}): Promise<boolean> {
  // oxlint-disable-next-line node/no-process-env -- a child gets what this process has.
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...extra } });
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}

let passed = 0;
let failed = 0;
for (const check of CHECKS) {
  process.stdout.write(`\n# npm run ${check}\n`);
  if (await run("npm", ["run", "--silent", check])) passed++;
  else failed++;
}
const folder = mkdtempSync(join(tmpdir(), "sy-"));
// All that the tests write goes here. Short: sockets are in it, whose paths may have 100 characters.
const left = join(folder, "t");
try {
  mkdirSync(left);
  const file = join(folder, "report.json");
  process.stdout.write("\n# npm run unit\n");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const green = await run("vitest", args, { TMPDIR: left });
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  // A suite that could not even start, or an error outside of any test, has failed too.
  if (!green && report.numFailedTests === 0) failed += Math.max(1, report.numFailedTestSuites);
  // Each test's Redis was looked through when it was stopped (test/support/redis.ts).
  process.stdout.write("\n# personal numbers and secrets in what the tests left\n");
  const kept = readdirSync(left).filter((name) => name !== COMPILED);
  const leaks = (await Promise.all(kept.map(async (name) => await leaksIn(join(left, name))))).flat();
  for (const { what, shown, place } of leaks) process.stdout.write(`${what} ${shown} in ${place}\n`);
  process.stdout.write(`${leaks.length} in ${kept.length} files and folders\n`);
  if (leaks.length === 0) passed++;
  else failed++;
} catch {
  failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
