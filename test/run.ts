import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// `npm test`: every check, then every test; ends with a line `N passed, N failed`. All of them run, also after a failure.
const CHECKS = ["types", "lint", "format", "unused"];

async function run(command: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(command, args, { stdio: "inherit" });
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
const folder = mkdtempSync(join(tmpdir(), "satyapan-test-"));
try {
  const file = join(folder, "report.json");
  process.stdout.write("\n# npm run unit\n");
  const green = await run("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`]);
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  // A suite that could not even start, or an error outside of any test, has failed too.
  if (!green && report.numFailedTests === 0) failed += Math.max(1, report.numFailedTestSuites);
} catch {
  failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
