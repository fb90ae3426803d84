import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadLocalKeys } from "../../../../src/privacy/keys/local-keys.ts";
import type { LocalKeys } from "../../../../src/privacy/keys/settings.ts";
import { ErrorCode } from "../../../../src/base/error.ts";
import { refusal } from "../../providers/refusal.ts";

const MODULE = pathToFileURL(join(import.meta.dirname, "../../../../src/privacy/keys/local-keys.ts")).href;

let parent = "";
let folder = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "satyapan-keys-"));
  folder = join(parent, "deep", ".satyapan");
});
afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

function clear({ keys, subjectKey }: LocalKeys): readonly string[] {
  return [keys.sealing.key.export().toString("base64"), subjectKey.open()];
}

describe("loadLocalKeys", () => {
  it("makes two different keys of 32 bytes, and gives the same ones ever after", () => {
    const made = clear(loadLocalKeys(folder));
    expect(new Set(made)).toHaveProperty("size", 2);
    expect(made.map((key) => Buffer.from(key, "base64").length)).toEqual([32, 32]);
    expect(clear(loadLocalKeys(folder))).toEqual(made);
  });

  it("makes other keys in another folder", () => {
    expect(clear(loadLocalKeys(folder))).not.toEqual(clear(loadLocalKeys(join(parent, "other"))));
  });

  it("lets only its owner read them, and leaves nothing else behind", () => {
    loadLocalKeys(folder);
    expect(readdirSync(folder)).toEqual(["keys.json"]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "keys.json")).mode & 0o777).toBe(0o600);
  });

  it("writes them under the names of the settings, to be taken elsewhere", () => {
    const [sealing, subject] = clear(loadLocalKeys(folder));
    expect(JSON.parse(readFileSync(join(folder, "keys.json"), "utf8"))).toEqual({
      SATYAPAN_ENCRYPTION_KEYS: `local:${sealing}`,
      SATYAPAN_SUBJECT_KEY: subject,
    });
  });

  it("gives the same keys to processes that start at the same moment", async () => {
    // Each waits for the same instant, so that they meet between looking for the file and making it.
    const instant = Date.now() + 1_500;
    const program = `
      const { loadLocalKeys } = await import(${JSON.stringify(MODULE)});
      while (Date.now() < ${instant});
      const { keys, subjectKey } = loadLocalKeys(${JSON.stringify(folder)});
      process.stdout.write(keys.sealing.key.export().toString("base64") + subjectKey.open());`;
    const run = promisify(execFile);
    const runs = Array.from({ length: 6 }, async () =>
      run(process.execPath, ["--input-type=module", "--eval", program], { timeout: 120_000 }),
    );
    const outputs = (await Promise.all(runs)).map(({ stdout }) => stdout);
    expect(new Set(outputs)).toEqual(new Set([clear(loadLocalKeys(folder)).join("")]));
    expect(readdirSync(folder)).toEqual(["keys.json"]);
  });

  it.each(["", "{", "null", "{}", '{"SATYAPAN_ENCRYPTION_KEYS":"local:AAAA","SATYAPAN_SUBJECT_KEY":"AAAA"}'])(
    "refuses a file that is not what was written, %j, and does not write over it",
    (text) => {
      loadLocalKeys(folder);
      const path = join(folder, "keys.json");
      writeFileSync(path, text);
      const error = refusal(() => loadLocalKeys(folder));
      expect(error.code).toBe(ErrorCode.BAD_FILE);
      expect(error.message).toContain(path);
      expect(error.message).not.toContain("AAAA");
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );

  it("says which folder it cannot make them in, and what else there is to do", () => {
    writeFileSync(join(parent, "file"), "");
    const error = refusal(() => loadLocalKeys(join(parent, "file", ".satyapan")));
    expect(error.code).toBe(ErrorCode.BAD_FILE);
    expect(error.message).toMatch(/^.*file.*\.satyapan.*ENOTDIR/);
  });

  it.skipIf(process.getuid?.() === 0)("says that a folder cannot be written", () => {
    chmodSync(parent, 0o500);
    const error = refusal(() => loadLocalKeys(folder));
    chmodSync(parent, 0o700);
    expect(error.message).toMatch(/EACCES.*make it writable, or set SATYAPAN_ENCRYPTION_KEYS/);
  });
});
