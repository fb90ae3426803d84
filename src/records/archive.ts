import type { TerminalState } from "../outcomes/state.ts";
import type { RedisClient } from "../redis/connection.ts";
import { archiveKey, type QueueName, recordKey } from "../queues/names.ts";
import { repliesOf } from "../redis/replies.ts";
import { UNREADABLE_FIELDS } from "./no-record.ts";

// Where `scripts/archive.lua` puts records at rest.

/** How many characters of a generated id, which are its time, ids must have in common: those of 46.7 s, and of 1.3 s. */
export const TIME_LENGTHS = { first: 5, last: 6 };
/** Nothing changes such a record any more. No two begin with the same letter. */
export const ARCHIVED_STATES = [
  "succeeded",
  "rejected",
  "expired",
  "cancelled",
] as const satisfies readonly TerminalState[];
/** A generated id, or one that is derived from it. */
const ARCHIVABLE = /^[0-9a-z]{17}([0-9a-z])(?:-[sv][\dsv-]*)?$/;

/** What is asked for each id: its places, and a key of its own once more. */
const ASKED = 4;

type Fields = Readonly<Record<string, string>>;

/**
 * The fields of those of these records that have no key of their own but are archived, in one round trip, as they are stored; null for the
 * others. One that gets a key of its own meanwhile is found, too.
 */
export async function archivedFields(
  redis: RedisClient,
  queue: QueueName,
  ids: readonly string[],
): Promise<(Fields | null)[]> {
  const places = ids.map((id) => archivePlaces(queue, id));
  const found: (Fields | null)[] = ids.map(() => null);
  const pipeline = redis.pipeline();
  const asked: number[] = [];
  for (const [index, keys] of places.entries()) {
    const id = ids[index];
    if (id === undefined || keys === null) continue;
    asked.push(index);
    for (const key of keys) pipeline.hget(key, id);
    pipeline.hgetall(recordKey(queue, id));
  }
  // Something else than a hash holds no record.
  const replies = await repliesOf(pipeline, null);
  for (const [nth, index] of asked.entries()) {
    const [first, second, third, own] = replies.slice(ASKED * nth, ASKED * (nth + 1)) as [
      string | null,
      string | null,
      string | null,
      Fields | null,
    ];
    const text = first ?? second ?? third;
    found[index] = text !== null ? parseArchived(text) : own?.["state"] === undefined ? null : own;
  }
  return found;
}

/** The ids of the records that are in these hashes of the archive, in one round trip. */
export async function idsInArchive(redis: RedisClient, keys: readonly string[]): Promise<string[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(key);
  return (await repliesOf(pipeline, null)).flatMap((records) => Object.keys((records ?? {}) as Fields));
}

/** Where a record may be, in this order. Null: one with such an id is never archived. */
function archivePlaces(queue: QueueName, id: string): readonly [string, string, string] | null {
  const [, last] = ARCHIVABLE.exec(id) ?? [];
  if (last === undefined) return null;
  const time = archiveKey(queue, id.slice(0, TIME_LENGTHS.first));
  return [time, time + last, archiveKey(queue, id.slice(0, TIME_LENGTHS.last)) + last];
}

/** The first letter of its state, its digest, and its other fields and their values in turn, a NUL after each. */
function parseArchived(text: string): Fields {
  const [first = "", ...others] = text.split("\0");
  const state = ARCHIVED_STATES.find((known) => first.startsWith(known.slice(0, 1)));
  // After the last NUL there is one piece more, an empty one.
  if (state === undefined || others.at(-1) !== "" || others.length % 2 === 0) return UNREADABLE_FIELDS;
  const fields: Record<string, string> = { state, digest: first.slice(1) };
  for (let at = 0; at + 1 < others.length; at += 2) fields[others[at] ?? ""] = others[at + 1] ?? "";
  return fields;
}
