import type { JobRecord } from "../../src/records/record.ts";

/** What to say of `count` jobs that nobody waits for any longer; `why`: what `explain` says of the first; null: nothing. */
export function stillOpen({ id, state }: JobRecord, count: number, why: string | null): string {
  const what = count === 1 ? `job ${id} is still ${state} and goes` : `${count} jobs go`;
  const reason = why === null ? "" : `. ${count === 1 ? "" : "None was begun. "}${why}`;
  return `${what} on without this command: see \`satyapan show ${id}\`${reason}`;
}
