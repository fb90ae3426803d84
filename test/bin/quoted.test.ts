import { expect, it } from "vitest";
import { testKeys } from "../support/client.ts";
import { satyapan } from "../support/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";

it("doctor, and every command at its start, warns of a credential in quotation marks and does not repeat it", async () => {
  await using dir = await makeTempDir();
  const credentials = { DEEPVUE_CLIENT_ID: '"planted-id"', DEEPVUE_CLIENT_SECRET: "planted-secret" };
  const env = {
    ...testKeys(),
    REDIS_URL: "redis://127.0.0.1:1",
    DEEPVUE_BASE_URL: "http://127.0.0.1:1",
    ...credentials,
  };
  const { stdout, stderr } = await satyapan(["doctor", "--json"], { cwd: dir.path, env });
  const detail =
    "DEEPVUE_CLIENT_ID begins or ends with a quotation mark, which is taken as a part of it: write the value without quotation marks";
  expect((JSON.parse(stdout) as { findings: unknown[] }).findings).toContainEqual({
    ...{ check: "settings", status: "warning" },
    detail,
  });
  expect(stderr).toContain(`warning: ${detail}\n`);
  expect(stdout + stderr).not.toContain("planted");
});
