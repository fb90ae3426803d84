import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { satyapan } from "../support/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const MAIN = fileURLToPath(new URL("../../bin/main.ts", import.meta.url));
/** What Node does where the system has no line for the number of whoever runs it. */
const NOBODY = `import os from "node:os"; import { syncBuiltinESMExports } from "node:module";
os.userInfo = os.homedir = () => { throw new Error("no such user"); }; syncBuiltinESMExports();`;

describe("satyapan", () => {
  it("says in one line that the folder it was started in is not there any more", async () => {
    await using dir = await makeTempDir();
    const program = [
      "sh",
      "-c",
      'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"',
      process.execPath,
      MAIN,
    ] as const;
    expect(await satyapan(["show", "order-1"], { cwd: dir.path, program })).toMatchObject({
      code: 2,
      stdout: "",
      stderr:
        "satyapan: the folder that this was started in is not there any more: go to one that is (cd), and try again\n",
    });
  });

  it.skipIf(!existsSync("/proc/self"))(
    "ends in a folder where nothing can be made, and says what would help",
    async () => {
      const ran = await satyapan(["show", "order-1"], { cwd: "/proc", timeoutMs: 60_000 });
      expect(ran).toMatchObject({ code: 2, stdout: "" });
      expect(ran.stderr).toMatch(
        /^satyapan: no keys can be made in \/proc\/.satyapan: ENOENT.*; make it writable, or set /,
      );
    },
  );

  it("runs for a user that the system has no name and no home for, as in a container that is given any number", async () => {
    await using dir = await makeTempDir();
    const program = [process.execPath, "--import", `data:text/javascript,${encodeURIComponent(NOBODY)}`, MAIN] as const;
    const ran = await satyapan(["unknown", "list"], { cwd: dir.path, program });
    expect(ran).toMatchObject({ code: 0, stdout: "no unknown job\n", stderr: "" });
    expect(existsSync(join(dir.path, ".satyapan"))).toBe(true);
  });
});
