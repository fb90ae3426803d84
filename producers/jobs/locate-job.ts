import { isTerminal, type JobState } from "../../src/outcomes/state.ts";
import type { ExplainFacts, Place } from "./explanation.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { jobsOfEntry } from "../../src/queues/job-counts.ts";
import { bullmqJobId, bullmqPrefix, isOurJob, jobIdOf, type QueueName, recordKey } from "../../src/queues/names.ts";
import { parseTicket } from "../../src/queues/ticket.ts";
import { TicketLists } from "../../src/queues/ticket-lists.ts";
import { archivedFields } from "../../src/records/archive.ts";
import { NO_RECORD_FIELDS } from "../../src/records/no-record.ts";
import { unpackRecord } from "../../src/records/packed-record.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import { repliesOf } from "../../src/redis/replies.ts";

/** Entries at the front of the queue that are looked through; places farther back are not known exactly. */
const LOOK_THROUGH = 10_000;
/** Jobs of their own among them whose lanes are looked up. */
const LOOK_UP = 500;
/** BullMQ's score of a delayed job is its time in ms times this, plus a counter. */
const DELAYED_SCALE = 4_096;

/** A record's fields and where BullMQ has an entry of the queue, at one instant. */
interface Found {
  readonly entry: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly exists: boolean;
  /** How many entries wait without a priority. */
  readonly waiting: number;
  /** Its index among them, which are taken from the last on; null: it is none of the last `LOOK_THROUGH`. */
  readonly position: number | null;
  /** Its index among those with a priority, which are taken from the first on. */
  readonly rank: number | null;
  readonly score: string | null;
}

/** Looks for an entry that is not there: some milliseconds pass between a record and its first entry, or one and the next. */
const MOST_LOOKS = 3;

/**
 * A record's fields and the job's place in BullMQ, by itself or in its ticket, of one moment; null: there is no record. However long the
 * queue is, it costs Redis few milliseconds.
 */
export async function locateJob(
  redis: RedisClient,
  queue: QueueName,
  id: string,
): Promise<Pick<ExplainFacts, "fields" | "place"> | null> {
  for (let looks = 1; ; looks++) {
    const own = await find(redis, queue, id, bullmqJobId(id));
    if (own.fields["state"] === undefined) {
      const [archived = null] = await archivedFields(redis, queue, [id]);
      return archived === null ? null : { fields: unpackRecord(id, archived), place: { kind: "none" } };
    }
    // An entry of its own takes it over from its ticket.
    const ticket = own.exists ? undefined : own.fields["ticket"];
    const found = ticket === undefined ? own : await find(redis, queue, id, ticket);
    const mates = ticket === undefined ? null : await new TicketLists(redis, queue).read(ticket).catch(() => null);
    const { fields } = found;
    const place = await placeOf(redis, queue, found, Math.max(0, mates?.ids.indexOf(id) ?? 0));
    const isOnItsWay = place.kind === "none" && !isTerminal(fields["state"] as JobState);
    if ((isOnItsWay || fields["ticket"] !== own.fields["ticket"]) && looks < MOST_LOOKS) continue;
    return { fields, place };
  }
}

async function find(redis: RedisClient, queue: QueueName, id: string, entry: string): Promise<Found> {
  const base = bullmqPrefix(queue);
  const look = redis
    .multi()
    .hgetall(recordKey(queue, id))
    .exists(`${base}${entry}`)
    .llen(`${base}wait`)
    // Entries are taken from its tail.
    .lpos(`${base}wait`, entry, "RANK", -1, "MAXLEN", LOOK_THROUGH)
    .zrank(`${base}prioritized`, entry)
    .zscore(`${base}delayed`, entry);
  const [stored, exists, waiting, position, rank, score] = (await repliesOf(look, NO_RECORD_FIELDS)) as [
    Record<string, string>,
    number,
    number,
    number | null,
    number | null,
    string | null,
  ];
  const fields = stored["state"] === undefined ? stored : unpackRecord(id, stored);
  return { entry, fields, exists: exists === 1, waiting, position, rank, score };
}

/** `mates`: jobs of its ticket that are before it. */
async function placeOf(redis: RedisClient, queue: QueueName, found: Found, mates: number): Promise<Place> {
  const { entry, fields, exists, waiting, position, rank, score } = found;
  if (!exists) return { kind: "none" };
  if (position === null && rank === null) {
    if (score !== null) return { kind: "delayed", until: Math.floor(Number(score) / DELAYED_SCALE) };
    const farBack =
      waiting > LOOK_THROUGH && unpackJob(fields["job"] ?? "").lane === "interactive" && fields["state"] !== "active";
    return farBack
      ? { kind: "lane", interactive: waiting - 1, bulk: 0, exact: false, isFirstCome: true }
      : { kind: "taken" };
  }
  const base = bullmqPrefix(queue);
  const first = position === null ? Math.max(0, waiting - LOOK_THROUGH) : position + 1;
  const [line, prioritized] = await Promise.all([
    redis.lrange(`${base}wait`, first, -1),
    rank === null || rank === 0
      ? ([] as string[])
      : redis.zrange(`${base}prioritized`, "0", String(Math.min(rank, LOOK_THROUGH) - 1)),
  ]);
  // Others came or went since its place was looked up: what is behind it is not before it.
  const ahead = line.slice(line.lastIndexOf(entry) + 1);
  const bulk = prioritized.slice(0, prioritized.includes(entry) ? prioritized.indexOf(entry) : undefined);
  const isBulk = await areBulk(redis, queue, ahead);
  const astray = ahead.filter((_, nth) => isBulk[nth]);
  const interactive = ahead.filter((_, nth) => !isBulk[nth]);
  const inWait = position === null ? waiting : waiting - 1 - position;
  const ofInteractive = jobsOf(interactive, inWait - astray.length);
  const ofBulk = jobsOf([...astray, ...bulk], astray.length + (rank ?? 0));
  const own = unpackJob(fields["job"] ?? "").lane;
  return {
    kind: "lane",
    interactive: ofInteractive.jobs + (own === "interactive" ? mates : 0),
    bulk: ofBulk.jobs + (own === "bulk" ? mates : 0),
    exact: ofInteractive.exact && ofBulk.exact,
    isFirstCome: position !== null,
  };
}

/**
 * Which of these entries without a priority are of the bulk lane all the same: what a lost worker had in hand is put back there,
 * before all others. A ticket's name says it, a job's own record does; of many jobs those that are taken next are looked at.
 */
async function areBulk(redis: RedisClient, queue: QueueName, entries: readonly string[]): Promise<boolean[]> {
  const jobs = entries.filter(isOurJob).slice(-LOOK_UP);
  const pipeline = redis.pipeline();
  for (const entry of jobs) pipeline.hget(recordKey(queue, jobIdOf(entry)), "job");
  const replies = await repliesOf(pipeline, null);
  const known = new Map(jobs.map((entry, nth) => [entry, replies[nth]]));
  return entries.map((entry) => {
    const job = known.get(entry);
    return typeof job === "string" ? unpackJob(job).lane === "bulk" : parseTicket(entry)?.lane === "bulk";
  });
}

/** How many jobs are in so many entries, of which these were looked at; the others are taken to be one job each. */
function jobsOf(names: readonly string[], entries: number): { readonly jobs: number; readonly exact: boolean } {
  const jobs = names.reduce((sum, name) => sum + jobsOfEntry(name), 0);
  // Some jobs of a ticket may be done: its name tells how many it was made of.
  return { jobs: jobs + Math.max(0, entries - names.length), exact: jobs === names.length };
}
