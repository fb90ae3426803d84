import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import type { JobRecord } from "../../../src/records/record.ts";
import { startClientBundle, testKeys } from "../../support/client.ts";
import { RunningCommand, satyapan } from "../../support/command.ts";
import { killingProxy } from "../../support/killing-proxy.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";

/** Nobody listens there (RFC 6335: tcpmux). */
const CLOSED_PORT = { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1" };
const ROWS = 20_000;
const INPUT = JSON.stringify({ mobile: madeUpMobile(1), csp_id: "a1" });

let dir: TempDir;
beforeAll(async () => {
  dir = await makeTempDir();
  const rows = Array.from({ length: ROWS }, (_, index) => `${madeUpMobile(index)},a1\n`);
  writeFileSync(join(dir.path, "rows.csv"), `mobile,csp_id\n${rows.join("")}`);
});
afterAll(async () => await dir[Symbol.asyncDispose]());

describe("satyapan submit --retry-for", () => {
  it("takes every row of a file once, though Redis was killed and came back in the middle", async () => {
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    await using proxy = await killingProxy(bundle.redis, 2_000_000);
    const options = { cwd: dir.path, env: { ...keys, REDIS_URL: proxy.url } };
    const args = ["submit", "eko.mobile-otp", "--each", "rows.csv", "--json"];
    await using command = new RunningCommand(args, options);
    await proxy.killed;
    await command.said("tried again until");
    await bundle.redis.restart();
    const { code, stdout, stderr } = await command.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^satyapan: .*; tried again until [-\dT:.]+Z \(--retry-for\)\n$/);
    const records = JSON.parse(stdout) as JobRecord[];
    expect(records.filter(({ duplicate, reused }) => duplicate ?? reused)).toEqual([]);
    const ids = records.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ROWS);
    expect((await bundle.queued("eko")).toSorted()).toEqual(ids.toSorted());
  });

  it.each([
    ["one job", ["--input", INPUT, "--id", "row-1"]] as const,
    ["a file", ["--each", "-", "--id", "row"]] as const,
  ])(
    "goes on waiting for the end of %s though Redis was killed meanwhile",
    async (_what, args) => {
      const keys = testKeys();
      await using bundle = await startClientBundle(keys);
      const options = { cwd: dir.path, env: { ...keys, REDIS_URL: bundle.redis.url }, stdin: `${INPUT}\n` };
      await using command = new RunningCommand(["submit", "eko.mobile-otp", ...args, "--wait", "3m", "--json"], {
        ...options,
      });
      const state = async () => (await bundle.client.get("row-1").catch(() => null))?.state;
      await expect.poll(state).toBe("queued");
      await bundle.redis.kill9();
      await command.said("tried again until");
      await bundle.redis.restart();
      await expect.poll(state).toBe("queued");
      await bundle.begin("row-1", "eko");
      await bundle.finish("row-1", "eko", "succeeded");
      const { code, stdout } = await command.ended;
      expect(code).toBe(0);
      expect([JSON.parse(stdout)].flat()).toMatchObject([{ id: "row-1", state: "succeeded" }]);
    },
    180_000,
  );

  it.concurrent("waits a minute by default, and Ctrl-C ends it at once", async () => {
    const args = ["submit", "eko.mobile-otp", "--input", INPUT];
    await using command = new RunningCommand(args, { cwd: dir.path, env: CLOSED_PORT });
    const said = await command.said(/tried again until (\S+)/);
    const leftMs = Date.parse(said.split(" ").at(-1) ?? "") - Date.now();
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
    const stoppedAt = performance.now();
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended;
    const tookMs = performance.now() - stoppedAt;
    // As long as a command that asks nobody needs on this machine comes on top of it.
    const { ms } = await satyapan(["--version"], { cwd: dir.path });
    expect(tookMs).toBeLessThan(2_000 + 3 * ms);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("satyapan: the submission was stopped; nothing was accepted\n");
  });

  it.concurrent("0 fails at once", async () => {
    const args = ["submit", "eko.mobile-otp", "--input", INPUT, "--retry-for", "0"];
    const { code, stdout, stderr } = await satyapan(args, { cwd: dir.path, env: CLOSED_PORT });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/^satyapan: Redis at .* cannot be reached: .*\n$/);
  });

  it.concurrent("is refused where it is no duration", async () => {
    const args = ["submit", "eko.mobile-otp", "--input", INPUT, "--retry-for", "soon"];
    const { code, stderr } = await satyapan(args, { cwd: dir.path, env: CLOSED_PORT });
    expect(code).toBe(2);
    expect(stderr).toContain("--retry-for must be a duration like 250ms");
  });
});
