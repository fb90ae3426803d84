import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Summary } from "../../bench/report.ts";
import { satyapan } from "../support/command.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));
const program = [process.execPath, MAIN] as const;
const cwd = tmpdir();

describe("npm run bench", () => {
  it("drains all sides with one request per job and requests of the same size, and prints it as JSON", async () => {
    const few = [
      "--rounds",
      "1",
      "--jobs",
      "100",
      "--warm-up-jobs",
      "0",
      "--latency-jobs",
      "100",
      "--rate",
      "500",
      "--memory-jobs",
      "100",
    ];
    const { code, stdout, stderr } = await satyapan([...few, "--json"], { program, cwd });
    expect(code, stderr).toBe(0);
    const summary = JSON.parse(stdout) as Summary;
    const ratio = (measure: string) => summary.lines.find((line) => line.measure === measure)?.ratio;
    expect(ratio("request, bytes")).toBe(1);
    expect(ratio("jobs/s")).toBeGreaterThan(0);
    expect(ratio("submit to wire p50, ms")).toBeGreaterThan(0);
  });

  it("says what is wrong with an option, and measures nothing", async () => {
    const { code, stderr } = await satyapan(["--rounds", "0"], { program, cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("whole number from 1 to 100");
  });
});
