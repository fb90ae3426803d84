import { readFile, rename, writeFile } from "node:fs/promises";
import { withFileLock } from "../../src/redis/embedded/file-lock.ts";

// Counts in a file, reading and writing it under a lock, and says a line for each time.
const [lock = "", file = "", times = "0"] = process.argv.slice(2);
for (let time = 0; time < Number(times); time++) {
  await withFileLock(lock, 10_000, async () => {
    const count = Number(await readFile(file, "utf8"));
    // Whole or not at all: it may be killed here.
    await writeFile(`${file}.next`, String(count + 1));
    await rename(`${file}.next`, file);
  });
  process.stdout.write("counted\n");
}
