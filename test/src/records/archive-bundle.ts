import type { AttemptEnd } from "../../../src/records/attempt-end.ts";
import { createIds } from "../../../src/records/ids.ts";
import { Journal } from "../../../src/records/journal.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";
import type { TestRedis } from "../../support/redis.ts";
import { ending, newJob, POLICY, QUEUE, RETENTION, setup, T0 } from "./journal-bundle.ts";

export const OTP_DIES = T0 + 1_000;
export const SENT = {
  result: { tid: "42", otp_sent: true, otp_valid_until: null },
  retention: { lookAt: OTP_DIES, keepsInput: true },
} satisfies Partial<AttemptEnd>;
export const HOUR = 3_600_000;

/** The records of jobs that were made at `T0` and are given, at rest, in a Redis that has nothing else; `archives`: as the setting. */
export async function recordsAtRest(
  redis: TestRedis,
  jobs: readonly Partial<NewJob>[],
  archives = true,
  how: Partial<AttemptEnd> = SENT,
) {
  const client = redis.client();
  await client.flushall();
  const bundle = await setup(redis);
  const store = new RecordStore(client, { ...RETENTION, archives });
  const options = { redis: client, queue: QUEUE, retentionMs: RETENTION.recordMs, policy: POLICY, archives };
  const journal = new Journal(options);
  const made = jobs.map((job) => newJob({ id: createIds().job(T0), ...job }));
  await store.create(QUEUE, made);
  const before = [];
  for (const { id } of made) {
    const start = await journal.begin(id, "fresh", T0 + 10);
    await journal.finish(id, T0 + 30, ending(start, how));
    before.push({ id, start, record: await store.get(QUEUE, id) });
  }
  for (const at of [OTP_DIES, T0 + 2 * HOUR]) while ((await store.reap(QUEUE, at)).more);
  return { ...bundle, client, store, journal, made, before };
}
