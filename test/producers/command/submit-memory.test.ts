import { fileURLToPath } from "node:url";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { startClientBundle, testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const ROWS = 20_000;
/** Design §7: the bound for a million rows, in bytes. They need 45 MB more than these: a line number and a slot for each. */
const BOUND = 256 * 1_048_576 - 45_000_000;
const MAIN = fileURLToPath(new URL("../../../bin/main.ts", import.meta.url));
/** Says at the end how much memory the process had at most. */
const WITNESS = `data:text/javascript,
  let most = 0;
  setInterval(() => { most = Math.max(most, process.memoryUsage.rss()); }, 10).unref();
  process.on("exit", () => process.stderr.write("most " + most));`;

it("submit --each takes little memory for many rows", async () => {
  const keys = testKeys();
  await using bundle = await startClientBundle(keys);
  await using dir = await makeTempDir();
  const rows = Array.from({ length: ROWS }, (_, index) => `${madeUpMobile(index)},agent-1`);
  await writeFile(join(dir.path, "rows.csv"), ["mobile,csp_id", ...rows, ""].join("\n"));
  const { code, stdout, stderr } = await satyapan(["submit", "eko.mobile-otp", "--each", "rows.csv"], {
    cwd: dir.path,
    env: { ...keys, REDIS_URL: bundle.redis.url },
    program: [process.execPath, "--import", WITNESS, MAIN],
  });
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(`${ROWS} queued`) as string });
  const most = Number(/^most (\d+)$/m.exec(stderr)?.[1]);
  expect(most).toBeGreaterThan(50_000_000);
  expect(most).toBeLessThan(BOUND);
});
