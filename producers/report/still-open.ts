import type { JobRecord } from "../../src/records/record.ts";

/** What to say of jobs (one at least) that nobody waits for any longer. */
export function stillOpen(open: readonly JobRecord[]): string {
  const [first] = open;
  const what = open.length === 1 ? `job ${first?.id} is still ${first?.state} and goes` : `${open.length} jobs go`;
  const idle = open.every(({ state }) => state === "queued") ? "; none was begun, is a `satyapan worker` running?" : "";
  return `${what} on without this command: see \`satyapan show ${first?.id}\`${idle}`;
}
