import { expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { startClientBundle, testKeys } from "../../support/client.ts";
import { RunningCommand } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

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
  const shown = await run();
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toMatch(/^eko$/m);
  expect(shown.stdout).toMatch(/held +no/);
  expect(shown.stdout).toMatch(/quota +1000\/1s: \d+ used, \d+ left/);
  expect(shown.stdout).toMatch(/to decide +2 unknown, 0 failed/);
  expect(shown.stdout).toMatch(/2 +unknown +eko\.mobile-otp +- +no reply in 30s/);
  const { providers } = JSON.parse((await run("--once", "--json")).stdout) as { providers: unknown[] };
  expect(providers[0]).toMatchObject({
    provider: "eko",
    unknown: { count: 2 },
    troubles: [{ operation: "eko.mobile-otp", state: "unknown", count: 2, reason: "no reply in 30s" }],
  });
  expect(await run("--every", "1ms")).toMatchObject({ code: 2 });
});
