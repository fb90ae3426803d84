import { createReadStream } from "node:fs";
import { join } from "node:path";
import { BadFileError, createClient } from "satyapan";

const client = createClient(); // settings from the environment
const path = join(import.meta.dirname, "mobile-otp.csv");
const runs = { operation: "eko.mobile-otp", skipBad: true } as const;

try {
  const { id, counts } = await client.batches.submitFile(path, { ...runs, name: "Wednesday Pune" });
  console.log(counts.waiting > 0 ? "taken in" : "nothing to do", counts.skipped, "bad");
  // Bytes as they come, of an upload for example: the same rows are the same batch.
  const again = await client.batches.submitFile(createReadStream(path), { ...runs, called: "the upload" });
  console.log(again.id === id && again.duplicate === true);
  for await (const { row, ref, of } of client.batches.duplicates(id)) console.log(row, ref, of);
} catch (error) {
  if (!(error instanceof BadFileError)) throw error;
  for (const { field, message, count } of error.check.problems) console.error(field, message, count); // nothing was accepted
} finally {
  await client.close();
}
