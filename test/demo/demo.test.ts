import { readdirSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { RunningCommand, satyapan } from "../support/command.ts";
import { processesIn } from "../support/processes.ts";
import { hasScript, onTerminal } from "../support/pseudo-terminal.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const DEMO = fileURLToPath(new URL("../../demo/main.ts", import.meta.url));
const STOPPED = "the demo was interrupted: everything it started was stopped, and nothing is kept";

/** Nothing of the demo is left in the folder that is its TMPDIR. */
async function expectNothingIn(folder: string): Promise<void> {
  expect((await readdir(folder)).filter((name) => name.startsWith("satyapan-"))).toEqual([]);
  expect(processesIn(folder)).toEqual([]);
}

describe("npm run demo", () => {
  it.runIf(hasScript)("leaves nothing behind at Ctrl-C, and the terminal as it was", async () => {
    await using place = await makeTempDir();
    const env = { TMPDIR: place.path };
    const program = onTerminal(`${process.execPath} ${DEMO}`, 60);
    await using demo = new RunningCommand([], { cwd: place.path, env, program });
    await demo.said(/ running senders/);
    // Two workers, and the Redis in its own folder.
    expect(processesIn(place.path).length).toBeGreaterThanOrEqual(3);
    demo.type("\u0003");
    const { code, stdout } = await demo.ended;
    expect(code).toBe(130);
    expect(stdout.trimEnd().endsWith(STOPPED)).toBe(true);
    expect(stdout.lastIndexOf("\u001B[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001B[?25l"));
    await expectNothingIn(place.path);
  });

  it.runIf(hasScript)("leaves nothing behind where its terminal is closed", async () => {
    await using place = await makeTempDir();
    const program = onTerminal(`${process.execPath} ${DEMO}`, 60);
    await using demo = new RunningCommand([], { cwd: place.path, env: { TMPDIR: place.path }, program });
    await demo.said(/ running senders/);
    demo.kill("SIGKILL");
    await expect.poll(() => processesIn(place.path)).toEqual([]);
    await expectNothingIn(place.path);
  });

  it("leaves nothing behind where it is killed", async () => {
    await using place = await makeTempDir();
    const program = [process.execPath, DEMO] as const;
    await using demo = new RunningCommand([], { cwd: place.path, env: { TMPDIR: place.path }, program });
    await demo.said(/ running: /);
    expect(processesIn(place.path).length).toBeGreaterThanOrEqual(4);
    demo.kill("SIGKILL");
    await expect.poll(() => processesIn(place.path)).toEqual([]);
    await expect.poll(() => readdirSync(place.path).filter((name) => name.startsWith("satyapan-"))).toEqual([]);
  });

  it("leaves nothing behind at SIGTERM either, where no terminal is", async () => {
    await using place = await makeTempDir();
    const env = { TMPDIR: place.path };
    await using demo = new RunningCommand([], { cwd: place.path, env, program: [process.execPath, DEMO] });
    await demo.said(/ running: /);
    const { code, stdout, stderr } = await demo.stop();
    expect({ code, stderr }).toEqual({ code: 143, stderr: `\n${STOPPED}\n` });
    expect(stdout).not.toContain("\u001B");
    await expectNothingIn(place.path);
  });

  it("leaves nothing behind where nobody reads on", async () => {
    await using place = await makeTempDir();
    const env = { TMPDIR: place.path };
    await using demo = new RunningCommand([], { cwd: place.path, env, program: [process.execPath, DEMO] });
    await demo.said("$ satyapan batch watch");
    demo.closeOutput();
    expect(await demo.ended).toMatchObject({ code: 141 });
    await expectNothingIn(place.path);
  });

  it("says what to install where there is no Redis, and that REDIS_URL does not help it", async () => {
    await using place = await makeTempDir();
    const bin = join(place.path, "bin");
    await mkdir(bin);
    await symlink(process.execPath, join(bin, "node"));
    const env = { TMPDIR: place.path, PATH: bin, XDG_CACHE_HOME: join(place.path, "cache") };
    const program = [process.execPath, DEMO] as const;
    const { code, stderr } = await satyapan([], { cwd: place.path, env, program });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^demo: no Redis server: [^]*Install one/);
    expect(stderr).toContain("REDIS_URL is not for it");
    await expectNothingIn(place.path);
  });
});
