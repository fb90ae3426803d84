import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { startClientBundle, testKeys } from "../../support/client.ts";
import { RunningCommand } from "../../support/command.ts";
import { hasScript, onTerminal } from "../../support/pseudo-terminal.ts";
import { startTestRedis } from "../../support/redis.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const MAIN = fileURLToPath(new URL("../../../bin/main.ts", import.meta.url));

it("top shows quota, holds, what waits and why, and the last troubles; --json the same for scripts", async () => {
  await using bundle = await startClientBundle();
  await using place = await makeTempDir();
  const env = { REDIS_URL: bundle.redis.url, ...testKeys() };
  const run = async (...args: string[]) => await new RunningCommand(["top", ...args], { cwd: place.path, env }).ended;
  const submit = async (id: string, nth: number): Promise<void> => {
    await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(nth, "000"), csp_id: "agent1" }, { id });
  };
  for (const nth of [1, 2]) {
    await submit(`u${nth}`, nth);
    await bundle.begin(`u${nth}`, "eko", `ref-${nth}`);
    await bundle.finish(`u${nth}`, "eko", "unknown", { reason: "no reply in 30s" });
  }
  await submit("w1", 3);
  await submit("s1", 4);
  await bundle.begin("s1", "eko", "ref-s1");
  await bundle.finish("s1", "eko", "succeeded", { result: { otp_sent: true } });
  await bundle.client.onboard("eko.mobile", { mobile: madeUpMobile(5, "000"), csp_id: "agent1" }, { id: "asha" });
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const { id: batch } = await batches.submit(
    batches.rows(7, (row) => madeUpMobile(100 + row)),
    { name: "Tuesday" },
  );
  await bundle.client.batches.pause(batch, "the bank asked for it");
  const shown = await run();
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toMatch(/^eko$/m);
  expect(shown.stdout).toMatch(/held +no/);
  expect(shown.stdout).toMatch(/quota +1000\/1s: \d+ used, \d+ left/);
  expect(shown.stdout).toMatch(/to decide +2 unknown, 0 failed/);
  expect(shown.stdout).toMatch(/2 +unknown +eko\.mobile-otp +- +no reply in 30s/);
  expect(shown.stdout).toMatch(/open codes +1 awaited: 1 within 10m/);
  expect(shown.stdout).toMatch(/onboardings +1 running/);
  expect(shown.stdout).toMatch(new RegExp(`${batch} +Tuesday +paused: the bank asked for it +7 +0 % +0\\.0 +0 +-`));
  const { stdout } = await run("--once", "--json");
  const { providers } = JSON.parse(stdout) as { providers: unknown[] };
  expect(Array.from(stdout.matchAll(/"\w*[a-z][A-Z]\w*":/g), ([name]) => name)).toEqual([]);
  expect(providers[0]).toMatchObject({
    provider: "eko",
    unknown: { count: 2 },
    calls: { in_flight: expect.any(Number) as unknown },
    challenges: { "1m": 0, "3m": 0, "10m": 1, longer: 0 },
    onboardings: { open: expect.arrayContaining([{ flow: "eko.mobile", state: "running", count: 1 }]) as unknown },
    batches: { open: { paused: 1, running: 0 }, rows: { waiting: 7 } },
    open_batches: [{ id: batch, name: "Tuesday", state: "paused", rows: 7, open_challenges: 0 }],
    troubles: [{ operation: "eko.mobile-otp", state: "unknown", count: 2, reason: "no reply in 30s" }],
  });
  expect(await run("--every", "1ms")).toMatchObject({ code: 2 });
});

it.skipIf(!hasScript)(
  "top shows its beginning where the window is low, and leaves the whole of it behind",
  async () => {
    await using redis = await startTestRedis();
    await using place = await makeTempDir();
    const env = { REDIS_URL: redis.url, ...testKeys() };
    const program = onTerminal(`${process.execPath} ${MAIN} top`, 60, 12);
    await using top = new RunningCommand([], { cwd: place.path, env, program });
    await top.said(/\r\neko\r\n(?:.*\r\n){7}… \d+ more lines, in a higher window\r\n/);
    top.type("\u0003");
    const { code, stdout } = await top.ended;
    expect(code).toBe(0);
    const left = stdout.slice(stdout.lastIndexOf("\u001B[?25h")).replaceAll("\r\n", "\n");
    expect(left).toMatch(/eko\n {2}workers[^]*deepvue\n {2}workers/);
  },
);
