import type { JobRecord } from "../../src/records/record.ts";

/** What to say of `count` jobs that nobody waits for any longer; `begun`: whether any was. */
export function stillOpen({ id, state }: JobRecord, count: number, begun: boolean): string {
  const what = count === 1 ? `job ${id} is still ${state} and goes` : `${count} jobs go`;
  const idle = begun ? "" : "; none was begun, is a `satyapan worker` running?";
  return `${what} on without this command: see \`satyapan show ${id}\`${idle}`;
}
