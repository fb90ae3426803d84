import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { SENDERS } from "../../demo/make-senders.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { HeldUp } from "../support/held-up.ts";
import { assertNothingLeaked } from "../support/leaks.ts";
import { processesIn } from "../support/processes.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const DEMO = fileURLToPath(new URL("../../demo/main.ts", import.meta.url));
/** What `npm run demo` may take, in ms. */
const MINUTE_MS = 60_000;
/** How long it may be held up within it, in ms. */
const HELD_UP_MS = 5_000;

it("onboards its senders within a minute, in sums that add up, and what it says to look at is there", async (context) => {
  await using place = await makeTempDir();
  using heldUp = new HeldUp();
  const program = [process.execPath, DEMO] as const;
  const { code, stdout, stderr, ms } = await new RunningCommand([], {
    ...{ cwd: place.path, env: { TMPDIR: place.path }, program },
  }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const ends = [...stdout.matchAll(/^What became of the rows:\n((?: .*\n)+)/gm)].map(([, lines = ""]) => lines);
  expect(ends).toHaveLength(2);
  for (const lines of ends) {
    const [all = 0, ...parts] = [...lines.matchAll(/^ {1,4}(\d+) /gm)].map(([, count]) => Number(count)).toReversed();
    expect([all, parts.reduce((sum, count) => sum + count, 0)]).toEqual([SENDERS, SENDERS]);
    for (const state of ["succeeded", "rejected", "expired"]) expect(lines).toContain(` ${state}`);
  }
  expect(stdout).toMatch(/^ +0 {2}without a reason$/m);
  expect(stdout).toMatch(/^nothing found in \d+ keys .*, looking for Aadhaar-like numbers and \d+ values$/m);
  expect(processesIn(place.path)).toEqual([]);

  const [folder = ""] = (await readdir(place.path)).filter((name) => name.startsWith("satyapan-demo-"));
  const cwd = join(place.path, folder);
  const told = [...stdout.matchAll(/^ {2}\.\/satyapan (.+?) {2,}/gm)].map(([, args = ""]) => args.split(" "));
  expect(told.length).toBeGreaterThanOrEqual(4);
  for (const args of told) expect(await satyapan(args, { cwd }), args.join(" ")).toMatchObject({ code: 0 });
  await assertNothingLeaked(join(cwd, ".satyapan"));
  if (ms >= MINUTE_MS) heldUp.skipIfMore(HELD_UP_MS, context);
  expect(ms).toBeLessThan(MINUTE_MS);
});
