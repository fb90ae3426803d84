import type { RedisClient } from "../redis/connection.ts";
import { queuePrefix, type QueueName, recordKey, referenceKey } from "../queues/names.ts";
import type { JobState } from "../outcomes/state.ts";
import { archivedFields } from "./archive.ts";
import { jobIdInReference } from "./ids.ts";
import { NO_RECORD_FIELDS } from "./no-record.ts";
import { unpackRecord } from "./packed-record.ts";
import { parseRecord } from "./parse-record.ts";
import type { JobRecord } from "./record.ts";
import { unpackJob } from "./stored-job.ts";
import { repliesOf } from "../redis/replies.ts";

type Fields = Readonly<Record<string, string>>;

/** What is asked about job records, wherever they are; an archived one costs a second round trip. */
export class RecordReader {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** The fields of a record as they are stored, or null. */
  async fields(queue: QueueName, id: string): Promise<Fields | null> {
    const [fields = null] = await this.fieldsOfMany(queue, [id]);
    return fields;
  }

  async get(queue: QueueName, id: string): Promise<JobRecord | null> {
    const fields = await this.fields(queue, id);
    return fields === null ? null : parseRecord(id, fields);
  }

  /** Many records of one queue in one round trip; null where there is none. */
  async getMany(queue: QueueName, ids: readonly string[]): Promise<(JobRecord | null)[]> {
    const found = await this.fieldsOfMany(queue, ids);
    return found.map((fields, index) => (fields === null ? null : parseRecord(ids[index] ?? "", fields)));
  }

  /** `fields` of many, in one round trip. */
  async fieldsOfMany(queue: QueueName, ids: readonly string[]): Promise<(Fields | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hgetall(recordKey(queue, id));
    const replies = (await repliesOf(pipeline, NO_RECORD_FIELDS)) as Fields[];
    const stored = replies.map((fields) => (fields["state"] === undefined ? null : fields));
    const found = await this.#orArchived(queue, ids, stored, (fields) => fields);
    return found.map((fields, index) => (fields === null ? null : unpackRecord(ids[index] ?? "", fields)));
  }

  /** Whom each of these jobs is about, of a record that is not packed without the rest of it; null: nobody, or there is none. */
  async subjectsOf(queue: QueueName, ids: readonly string[]): Promise<(string | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hget(recordKey(queue, id), "job");
    const jobs = (await repliesOf(pipeline, null)) as (string | null)[];
    const packed = ids.filter((_, index) => jobs[index] === null);
    const read = await this.fieldsOfMany(queue, packed);
    const unpacked = new Map(packed.map((id, index) => [id, read[index]?.["job"] ?? ""]));
    return ids.map((id, index) => unpackJob(jobs[index] ?? unpacked.get(id) ?? "").subject);
  }

  /** Ids of the jobs that last sent these persons an OTP, newest first, in one round trip. */
  async lastSends(queue: QueueName, subjects: readonly string[]): Promise<string[][]> {
    if (subjects.length === 0) return [];
    const found = await this.#redis.mget(subjects.map((subject) => `${queuePrefix(queue)}sent:${subject}`));
    return found.map((sent) => (sent ?? "").split(",").flatMap((entry) => entry.split(" ").slice(1)));
  }

  /** Ids of the jobs that are to send these persons an OTP and are not settled, newest first, in one round trip. */
  async openSends(queue: QueueName, subjects: readonly string[]): Promise<string[][]> {
    if (subjects.length === 0) return [];
    const pipeline = this.#redis.pipeline();
    for (const subject of subjects)
      pipeline.hget(`${queuePrefix(queue)}asked:${subject.slice(0, 2)}`, subject.slice(2));
    const replies = (await repliesOf(pipeline)) as (string | null)[];
    return replies.map((ids) => (ids === null ? [] : ids.split(",")));
  }

  /** The input digests of those jobs that are there ('' of what is no record), null for the others, in one round trip. */
  async digests(queue: QueueName, ids: readonly string[]): Promise<(string | null)[]> {
    return await this.#fieldOfMany(queue, ids, "digest");
  }

  /** The states of those jobs that are there, null for the others, in one round trip. */
  async states(queue: QueueName, ids: readonly string[]): Promise<(JobState | null)[]> {
    const states = await this.#fieldOfMany(queue, ids, "state");
    return states.map((state) => (state === "" ? null : (state as JobState | null)));
  }

  /** The job that made the attempt of this `client_ref_id`, or null. */
  async findByReference(queue: QueueName, clientRefId: string): Promise<string | null> {
    const derivedFrom = jobIdInReference(clientRefId);
    const record = derivedFrom === null ? null : await this.get(queue, derivedFrom);
    const isOfIt = record?.attempts.some(({ client_ref_id }) => client_ref_id === clientRefId) === true;
    return isOfIt ? derivedFrom : await this.#redis.get(referenceKey(queue, clientRefId));
  }

  /** '' of what is no record. */
  async #fieldOfMany(queue: QueueName, ids: readonly string[], name: string): Promise<(string | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hget(recordKey(queue, id), name);
    const stored = (await repliesOf(pipeline, "")) as (string | null)[];
    return await this.#orArchived(queue, ids, stored, (fields) => fields[name] ?? null);
  }

  /** What was found, and in place of null what `told` says of the record in the archive. */
  async #orArchived<Found>(
    queue: QueueName,
    ids: readonly string[],
    found: readonly (Found | null)[],
    told: (fields: Fields) => Found | null,
  ): Promise<(Found | null)[]> {
    const missing = ids.filter((_, index) => found[index] === null);
    if (missing.length === 0) return [...found];
    const archived = await archivedFields(this.#redis, queue, missing);
    const byId = new Map(missing.map((id, index) => [id, archived[index] ?? null]));
    return ids.map((id, index) => {
      const fields = byId.get(id) ?? null;
      return found[index] ?? (fields === null ? null : told(fields));
    });
  }
}
