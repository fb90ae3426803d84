import { randomBytes } from "node:crypto";
import type { RedisClient } from "../../redis/connection.ts";
import { newStep } from "../../redis/once.ts";
import { RELEASE } from "../../redis/lease.ts";
import { refusalWord } from "../../redis/refusal.ts";
import { repliesOf } from "../../redis/replies.ts";
import { auditBroken } from "./broken.ts";
import { type Block, blockAt, packLines, readBlocks, readPacked } from "./block.ts";
import { EXTEND, FILED, PACK, READ, REKEY, TAIL, TAKE_FOLDER, TRIM, TRIM_PACKED } from "./log-scripts.ts";

/**
 * One stream for all queues, a block of entries in each of its own: field `l` has their lines, `n` says how many, and the id
 * is `<ms of chaining>-<seq of the last>`. One by one they would cost Redis five times as much.
 */
export const LOG_KEY = "satyapan:{audit}:log";
/**
 * What of the log comes before that: its older entries, some hundred compressed together. Field `z` has their lines, `n` says how
 * many, and the id is that of the last.
 */
export const PACKED_KEY = "satyapan:{audit}:packed";
/**
 * Where the log stands, one hash:
 * | field | holds |
 * | --- | --- |
 * | `chain` | id of this chain, random; the "hash" before the first entry |
 * | `seq`, `hash`, `at` | number, hash and time (ms) of the last entry |
 * | `step` | of the sending that made it longer last, to know it again |
 * | `key` | id of the key it is chained with |
 * | `from:QUEUE` | id of the last entry taken from that queue's outbox |
 * | `floor_seq`, `floor_hash` | of the last entry that is not in the stream of lines any more |
 * | `base_seq`, `base_hash` | of the last entry that is not in Redis any more; absent: nothing was packed yet |
 * | `packed_seq` | of the last entry that was packed |
 * | `filed:FOLDER` | stream id of the last entry that is safe in that folder's files, and when the writer said so (ms) |
 */
export const HEAD_KEY = "satyapan:{audit}:head";
const WRITER_KEY = "satyapan:{audit}:writer:";
const KEYS = [HEAD_KEY, LOG_KEY] as const;

export interface Mark {
  readonly seq: number;
  readonly hash: string;
}

export interface Filed {
  readonly seq: number;
  /** Its id in the stream. */
  readonly id: string;
  /** When, in ms by Redis' clock. */
  readonly at: number;
}

export interface Head extends Mark {
  readonly chain: string;
  /** Null: nothing was chained yet. */
  readonly keyId: string | null;
  /** When the last entry was chained, in ms. */
  readonly at: number;
  /** What the first entry that is still in the stream of lines follows. */
  readonly floor: Mark;
  /** What the first entry that Redis still has follows, packed or not. */
  readonly base: Mark;
  readonly from: ReadonlyMap<string, string>;
  readonly filed: ReadonlyMap<string, Filed>;
  /** Redis' clock, in ms. */
  readonly now: number;
}

/** Lines that stay as they are, so that all versions find the log's end there. */
const LEFT_LINES = 1_000;
/** Blocks that are packed at once: a busy worker's hold up to 500 lines, an idle one's a handful. */
const PACKED_BLOCKS = 200;
const PACKED_LINES = 500;

/** The time after which a folder without a writer no longer keeps the log from being trimmed, in ms. */
const FOLDER_GONE_MS = 7 * 86_400_000;

/** The log in Redis: the head, and the stream of lines. */
export class AuditLog {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** As `Head.keyId`; writes nothing, as one who only looks must not. */
  async keyId(): Promise<string | null> {
    return (await unlessForeign(this.#redis.hget(HEAD_KEY, "key"))) ?? null;
  }

  async head(): Promise<Head> {
    const fresh = randomBytes(16).toString("hex");
    return parseHead((await unlessForeign(READ.run(this.#redis, [HEAD_KEY], { fresh }))) as string[]);
  }

  /**
   * `done`, or `moved`: somebody else was faster, nothing was written.
   * @throws SatyapanError `audit-broken`
   */
  async extend(
    head: Head,
    next: { readonly keyId: string; readonly at: number; readonly hash: string; readonly lines: readonly string[] },
    from: ReadonlyMap<string, string>,
  ): Promise<"done" | "moved"> {
    const { seq, hash } = head;
    const { keyId, at, lines } = next;
    const args = {
      ...{ seq, hash: seq === 0 ? "" : hash, key_id: keyId, at, new_hash: next.hash },
      ...{ count: lines.length, lines: lines.join("\n"), step: newStep() },
    };
    const rows = [...from].map(([queue, taken]) => ({ queue, taken }));
    const answer = (await unlessForeign(EXTEND.run(this.#redis, KEYS, args, rows))) as
      "done" | "moved" | "key" | "headless";
    if (answer === "key") throw otherKey((await this.head()).keyId, next.keyId);
    if (answer === "headless") throw headless();
    return answer;
  }

  /**
   * The next blocks with lines that come after the one of this id (`0`: from the first); of the first block some lines may
   * come before it.
   */
  async after(id: string, count: number): Promise<Block[]> {
    return await this.#range(`(${id}`, "+", count);
  }

  /** Whether the line of this id is this one; null: it is not there. */
  async has(id: string, line: string): Promise<boolean | null> {
    const [block] = await this.#range(id, "+", 1);
    const [seq] = id.split("-").slice(1);
    const found = block?.lines.find((text) => text.startsWith(`{"seq":${seq},`));
    return found === undefined ? null : found === line;
  }

  /** At least `count` of the last lines, if there are, oldest first; and the head of the same moment (null: no log was begun). */
  async tail(count: number): Promise<{ readonly lines: readonly string[]; readonly head: Head | null }> {
    const reply = await unlessForeign(TAIL.run(this.#redis, KEYS, { count }));
    const [entries, ...head] = reply as [[string, string[]][], ...string[]];
    const lines = readBlocks(entries)
      .toReversed()
      .flatMap((block) => block.lines);
    return { lines, head: head.length > 1 ? parseHead(head) : null };
  }

  /** Removes what is older than `keepMs` and safe in the files of every folder in use. How many blocks. */
  async trim(keepMs: number): Promise<number> {
    const head = await this.head();
    const end = safeEnd(head, `${Math.max(0, head.now - keepMs)}-0`);
    const [packed, last] = [await this.#lastPacked(end), await this.#lastBefore(end)];
    const kept = last ?? packed;
    if (kept === undefined) return 0;
    const { next, seq, hash } = blockAt(kept);
    const removed = (await TRIM_PACKED.run(this.#redis, [HEAD_KEY, PACKED_KEY], { first: next, seq, hash })) as number;
    if (last === undefined) return removed;
    return removed + ((await TRIM.run(this.#redis, KEYS, { first: next, seq, hash })) as number);
  }

  /**
   * Packs the oldest lines that are safe in the files of every folder in use, where more than a thousand stay. True: there may be more.
   */
  async pack(): Promise<boolean> {
    const head = await this.head();
    if (head.seq - head.floor.seq < LEFT_LINES + PACKED_LINES) return false;
    const some = await this.#oldest(safeEnd(head, "+"));
    const lines = some.flatMap((block) => block.lines);
    const last = some.at(-1);
    if (last === undefined || head.seq - head.floor.seq - lines.length < LEFT_LINES) return false;
    const { next, seq, hash } = blockAt(last);
    // Another packed meanwhile, or somebody took entries away, which `verify` tells.
    if (seq !== head.floor.seq + lines.length) return false;
    const packed = { floor: head.floor.seq, lines: await packLines(lines), count: lines.length };
    const done = await PACK.run(this.#redis, [...KEYS, PACKED_KEY], { ...packed, id: last.id, seq, hash, next });
    return done === 1;
  }

  /** Takes the folder for `ms`, or keeps it; false: another writer has it. */
  async lease(folder: string, token: string, ms: number): Promise<boolean> {
    return (await TAKE_FOLDER.run(this.#redis, [WRITER_KEY + folder], { token, ms })) === 1;
  }

  /** Notes how far the files are; false: the folder has another writer by now. */
  async filed(folder: string, token: string, ms: number, id: string): Promise<boolean> {
    return (await FILED.run(this.#redis, [HEAD_KEY, WRITER_KEY + folder], { token, ms, folder, id })) === 1;
  }

  async release(folder: string, token: string): Promise<void> {
    await RELEASE.run(this.#redis, [WRITER_KEY + folder], { holder: token });
  }

  /** From the next entry on the log is chained with another key. False: it was chained with yet another one. */
  async rekey(oldKeyId: string, newKeyId: string): Promise<boolean> {
    return (await REKEY.run(this.#redis, [HEAD_KEY], { old: oldKeyId, new: newKeyId })) === 1;
  }

  /** Packed or not, of one moment: what is packed meanwhile is in one of both. */
  async #range(from: string, to: string, count: number): Promise<Block[]> {
    const look = this.#redis
      .multi()
      .callBuffer("XRANGE", PACKED_KEY, from, to, "COUNT", count)
      .xrange(LOG_KEY, from, to, "COUNT", count);
    const [packed, plain] = await repliesOf(look).catch((error: unknown) => {
      throw foreign(error);
    });
    const older = await readPacked(packed as Parameters<typeof readPacked>[0]);
    return [...older, ...readBlocks(plain as Parameters<typeof readBlocks>[0])].slice(0, count);
  }

  /** Not packed, up to `end`: one block where it is large enough, or many that are together. */
  async #oldest(end: string): Promise<Block[]> {
    const [first] = readBlocks(await this.#redis.xrange(LOG_KEY, "-", end, "COUNT", 1));
    if (first === undefined || first.lines.length >= PACKED_LINES) return first === undefined ? [] : [first];
    const found = readBlocks(await this.#redis.xrange(LOG_KEY, "-", end, "COUNT", PACKED_BLOCKS));
    let count = 0;
    const enough = found.findIndex(({ lines }) => (count += lines.length) >= PACKED_LINES);
    return enough < 0 ? found : found.slice(0, enough + 1);
  }

  async #lastBefore(end: string): Promise<Block | undefined> {
    return readBlocks(await this.#redis.xrevrange(LOG_KEY, end, "-", "COUNT", 1))[0];
  }

  async #lastPacked(end: string): Promise<Block | undefined> {
    const found = await this.#redis.callBuffer("XREVRANGE", PACKED_KEY, end, "-", "COUNT", 1);
    return (await readPacked(found as Parameters<typeof readPacked>[0]))[0];
  }
}

/** Up to where entries are safe in the files of every folder in use, and not after `latest`. For XRANGE. */
function safeEnd({ now, filed }: Head, latest: string): string {
  const inUse = [...filed.values()].filter(({ at }) => now - at < FOLDER_GONE_MS);
  const safe = inUse.toSorted((one, other) => one.seq - other.seq)[0];
  if (latest === "+") return safe?.id ?? latest;
  return safe === undefined || isBefore(latest, safe.id) ? `(${latest}` : safe.id;
}

export function headless(): Error {
  return auditBroken(`its head in Redis (${HEAD_KEY}) is gone, the entries are not`);
}

export function otherKey(found: string | null, ours: string): Error {
  return auditBroken(
    `it is chained with another key (id ${found ?? "unknown"}) than this process has (id ${ours}): give it the ` +
      "SATYAPAN_SUBJECT_KEY of the others, or, if it was changed on purpose, run `satyapan audit rekey`",
  );
}

/** @throws SatyapanError `audit-broken` where a key of the log holds something else */
async function unlessForeign<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw foreign(error);
  }
}

function foreign(error: unknown): unknown {
  if (refusalWord(error) !== "WRONGTYPE") return error;
  return auditBroken(`something else stands in Redis in the place of ${HEAD_KEY}, ${LOG_KEY} or ${PACKED_KEY}`);
}

function parseHead([now, ...flat]: readonly string[]): Head {
  const fields = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? "", flat[at + 1] ?? "");
  const from = new Map<string, string>();
  const filed = new Map<string, Filed>();
  for (const [name, value] of fields) {
    if (name.startsWith("from:")) from.set(name.slice(5), value);
    if (!name.startsWith("filed:")) continue;
    const [id = "", at] = value.split(" ");
    filed.set(name.slice(6), { id, seq: Number(id.split("-")[1]), at: Number(at) });
  }
  const chain = fields.get("chain") ?? "";
  const floor = { seq: Number(fields.get("floor_seq") ?? 0), hash: fields.get("floor_hash") ?? chain };
  const [baseHash, packedSeq] = [fields.get("base_hash"), fields.get("packed_seq")];
  // Where a worker of the version before trimmed past what is packed, nothing of that can follow on.
  const isPacked = packedSeq !== undefined && baseHash !== undefined && packedSeq === fields.get("floor_seq");
  return {
    chain,
    seq: Number(fields.get("seq") ?? 0),
    hash: fields.get("hash") ?? chain,
    keyId: fields.get("key") ?? null,
    at: Number(fields.get("at") ?? 0),
    floor,
    base: isPacked ? { seq: Number(fields.get("base_seq")), hash: baseHash } : floor,
    from,
    filed,
    now: Number(now),
  };
}

/** The order of two stream ids. */
function isBefore(one: string, other: string): boolean {
  const [ms = 0, seq = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherSeq = 0] = other.split("-").map(Number);
  return ms < otherMs || (ms === otherMs && seq < otherSeq);
}
