import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestContext } from "vitest";

const run = promisify(execFile);

/** Runs promtool and gives its standard output; skips the test, saying so, where there is none. */
export async function promtool(context: TestContext, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run("promtool", args);
    return stdout;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      context.skip("promtool is not on the PATH (Debian: apt-get install prometheus)");
    }
    throw error;
  }
}
