import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeSenders, SENDERS } from "../../demo/make-senders.ts";
import { RUNS } from "../../demo/runs.ts";
import { satyapan } from "../support/command.ts";
import { testKeys } from "../support/client.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const FILE = fileURLToPath(new URL("../../examples/senders.csv", import.meta.url));

describe("examples/senders.csv", () => {
  it("is what demo/make-senders.ts makes", () => {
    expect(readFileSync(FILE, "utf8")).toBe(makeSenders());
  });

  it.each(RUNS)("has 200 senders, no person twice, each fit for $flow", async ({ flow }) => {
    await using place = await makeTempDir();
    const env = { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1" };
    const { stdout } = await satyapan(["batch", "check", FILE, "--flow", flow, "--json"], { cwd: place.path, env });
    expect(JSON.parse(stdout)).toMatchObject({ rows: SENDERS, good: SENDERS, bad: 0, duplicates: 0 });
  });
});
