import type { ExplainFacts, Place } from "./explanation.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { bullmqJobId, bullmqPrefix, type QueueName, recordKey } from "../../src/queues/names.ts";
import { isNoRecord, NO_RECORD_FIELDS } from "../../src/records/no-record.ts";
import { unpackRecord } from "../../src/records/packed-record.ts";
import { unpackJob } from "../../src/records/stored-job.ts";

/** Jobs at the front of the queue that are looked through for one; its place farther back is not known. */
const LOOK_THROUGH = 10_000;
/** BullMQ's score of a delayed job is its time in ms times this, plus a counter. */
const DELAYED_SCALE = 4_096;

/**
 * A record's fields and the job's place in BullMQ, at one instant; null: there is no record. However long the queue is, it
 * costs Redis well under a millisecond.
 */
export async function locateJob(
  redis: RedisClient,
  queue: QueueName,
  id: string,
): Promise<Pick<ExplainFacts, "fields" | "place"> | null> {
  const base = bullmqPrefix(queue);
  const jobId = bullmqJobId(id);
  const replies = await redis
    .multi()
    .hgetall(recordKey(queue, id))
    .exists(`${base}${jobId}`)
    .llen(`${base}wait`)
    // Jobs are taken from its tail.
    .lpos(`${base}wait`, jobId, "RANK", -1, "MAXLEN", LOOK_THROUGH)
    .zrank(`${base}prioritized`, jobId)
    .zscore(`${base}delayed`, jobId)
    .exec();
  if (replies === null) throw new TypeError("Redis gave up a transaction that watches nothing");
  const [stored, exists, waiting, position, rank, score] = replies.map(([error, reply]) => {
    if (error !== null && isNoRecord(error)) return NO_RECORD_FIELDS;
    if (error !== null) throw error;
    return reply;
  }) as [Record<string, string>, number, number, number | null, number | null, string | null];
  if (stored["state"] === undefined) return null;
  const fields = unpackRecord(id, stored);
  const inLine = (interactive: number, bulk: number, exact: boolean): Place => ({
    kind: "lane",
    interactive,
    bulk,
    exact,
  });
  const place = (): Place => {
    if (exists === 0) return { kind: "none" };
    if (position !== null) return inLine(waiting - 1 - position, 0, true);
    if (rank !== null) return inLine(waiting, rank, true);
    if (score !== null) return { kind: "delayed", until: Math.floor(Number(score) / DELAYED_SCALE) };
    const farBack =
      waiting > LOOK_THROUGH && unpackJob(fields["job"] ?? "").lane === "interactive" && fields["state"] !== "active";
    return farBack ? inLine(waiting - 1, 0, false) : { kind: "taken" };
  };
  return { fields, place: place() };
}
