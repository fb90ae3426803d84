import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { Child } from "../../bench/child.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const ANSWER = new URL("../../bench/answer.ts", import.meta.url).href;

async function childOf(dir: string, code: string): Promise<Child> {
  const file = join(dir, "child.mjs");
  await writeFile(file, `import { answerQuestions } from ${JSON.stringify(ANSWER)};\n${code}`);
  return new Child({ module: pathToFileURL(file), logFile: join(dir, "child.log") });
}

describe("Child", () => {
  it("brings answers back to whoever asked, in any order", async () => {
    await using dir = await makeTempDir();
    const code = `answerQuestions({ later: (ms) => new Promise((done) => setTimeout(done, ms, ms)) });`;
    await using child = await childOf(dir.path, code);
    await expect(Promise.all([child.ask("later", 50), child.ask("later", 1)])).resolves.toEqual([50, 1]);
  });

  it("fails a question whose answer failed, and goes on", async () => {
    await using dir = await makeTempDir();
    const code = `answerQuestions({ bad: () => { throw new Error("no such thing") }, good: () => 1 });`;
    await using child = await childOf(dir.path, code);
    await expect(child.ask("bad")).rejects.toThrow("no such thing");
    await expect(child.ask("good")).resolves.toBe(1);
  });

  it("fails all that wait, with the end of the output, when the process ends by itself", async () => {
    await using dir = await makeTempDir();
    const code = `answerQuestions({ end: () => { process.stderr.write("out of luck\\n"); process.exit(3); } });`;
    await using child = await childOf(dir.path, code);
    await expect(child.ask("end")).rejects.toThrow(/child\.mjs ended \(exit code 3\): out of luck/);
    await expect(child.failed).rejects.toThrow("out of luck");
  });
});
