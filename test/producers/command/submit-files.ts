import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { testKeys } from "../../support/client.ts";
import type { Ran } from "../../support/command.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";

/** Made up, and never to be seen in a message: Aadhaar number, mobile number, OTP. */
const PLANTED = ["999999990019", "9876501234", "730915"];
export const [AADHAAR = "", MOBILE = "", OTP = ""] = PLANTED;
/** Nobody listens there (RFC 6335: tcpmux): whoever asks Redis ends with exit code 3. */
export const CLOSED_PORT = { ...testKeys(), REDIS_URL: "redis://127.0.0.1:1" };
export const GOOD = JSON.stringify({ mobile: MOBILE, csp_id: "a1" });

/** A folder with files of rows, good and bad. */
export async function folderOfRows(): Promise<TempDir> {
  const dir = await makeTempDir();
  writeFileSync(join(dir.path, "bad.json"), `{"mobile":"${MOBILE}"`);
  writeFileSync(join(dir.path, "good.csv"), "mobile,csp_id\n9123456780,a1\n9123456781,a1\n9123456782,a1\n");
  writeFileSync(
    join(dir.path, "bad.csv"),
    `mobile,csp_id\n9123456780,a1\n${AADHAAR},a1\n\n9123456781,\n${MOBILE},"a ${OTP}"\n`,
  );
  const many = Array.from({ length: 25 }, () => AADHAAR).join(",a1\n");
  writeFileSync(join(dir.path, "all-bad.csv"), `mobile,csp_id\n${many},a1\n`);
  writeFileSync(join(dir.path, "headless.csv"), `${MOBILE},a1\n9123456781,a1\n`);
  writeFileSync(join(dir.path, "ragged.csv"), `mobile,csp_id\n${MOBILE}\n`);
  const consent = { reference: "C-1", method: "ivr", obtained_at: "2026-01-15T10:00:00+05:30" };
  const lines = ["234123412346", "999941057058"].map((aadhaar) =>
    JSON.stringify({ aadhaar, purpose: "ForKYC", consent }),
  );
  writeFileSync(join(dir.path, "good.ndjson"), `${lines.join("\n\n")}\n`);
  return dir;
}

/** One line on stderr, nothing on stdout, nothing of a person, nothing left in the folder. */
export function expectRefusal(dir: TempDir, { code, stdout, stderr }: Ran, exitCode: number): string {
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^satyapan: .+\n$/);
  expect(code).toBe(exitCode);
  for (const secret of PLANTED) expect(stderr).not.toContain(secret);
  expect(readdirSync(dir.path)).not.toContain(".satyapan");
  return stderr.slice("satyapan: ".length, -1);
}
