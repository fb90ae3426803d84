import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { BULLMQ_PREFIX } from "../src/queues/names.ts";
import { formatTable } from "../producers/report/table.ts";

/** Bytes of a Redis, by what they hold. */
export interface MemoryUse {
  /** All that grows with jobs: neither clients nor what waits to be written to the AOF. */
  readonly total: number;
  readonly parts: Readonly<Record<string, number>>;
}

/** Per job. */
export interface JobMemory {
  readonly jobs: number;
  readonly waiting: MemoryUse;
  readonly settled: MemoryUse;
  /** When what goes within half an hour has gone: whom the last sends were to. */
  readonly old: MemoryUse;
}

/** Keys in one page of a look at all. */
const PAGE = 2_000;
/** Of `JobMemory`: what the tables take in which Redis finds its keys. */
export const TABLES = "Redis' tables of keys";

/** `satyapan:{eko-0}:job:ID` → `record`; what many jobs share is named as its key is. */
export function partOf(key: string): string {
  if (key.startsWith(`${BULLMQ_PREFIX}:`)) return "BullMQ";
  const [, hash, name = "", ...rest] = key.split(":");
  if (hash === "{audit}") return `audit ${name}`;
  if (name === "audit") return rest.length === 0 ? "audit outbox" : "audit outbox, aside";
  return name === "job" ? "record" : name;
}

export async function memoryUse(redis: Redis): Promise<MemoryUse> {
  const info = await redis.info("memory");
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const total = field("used_memory") - field("mem_clients_normal") - field("mem_aof_buffer");
  const parts: Record<string, number> = {};
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "COUNT", PAGE);
    cursor = next;
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.memory("USAGE", key, "SAMPLES", 0);
    const replies = (await pipeline.exec()) ?? [];
    for (const [index, key] of keys.entries()) {
      const part = partOf(key);
      parts[part] = (parts[part] ?? 0) + Number(replies[index]?.[1] ?? 0);
    }
  } while (cursor !== "0");
  return { total, parts };
}

/** What goes by itself within this, in ms: a person's last sends go after 30 min. */
const SOON_GONE_MS = 31 * 60_000;

/** Looks at Redis' memory, and the time between two, in ms: it takes seconds until its tables are as small as what is in them. */
const LOOKS = 10;
const LOOK_MS = 300;

/** Removes what goes by itself within half an hour, as if that had passed. */
export async function passHalfAnHour(redis: Redis): Promise<void> {
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "COUNT", PAGE);
    cursor = next;
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.pttl(key);
    const left = ((await pipeline.exec()) ?? []).map(([, ms]) => Number(ms));
    const gone = keys.filter((_, index) => (left[index] ?? -1) >= 0 && (left[index] ?? 0) <= SOON_GONE_MS);
    if (gone.length > 0) await redis.unlink(...gone);
  } while (cursor !== "0");
  let least = Number.POSITIVE_INFINITY;
  for (let since = 0; since < LOOKS; since++) {
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
    // What clients have is no table.
    if (used < least - 10_000) [least, since] = [used, 0];
    await sleep(LOOK_MS);
  }
}

/** What `jobs` jobs added between two looks, for one of them. */
export function perJob(before: MemoryUse, after: MemoryUse, jobs: number): MemoryUse {
  const names = Object.keys({ ...before.parts, ...after.parts });
  const grown = names.map((name): [string, number] => [
    name,
    ((after.parts[name] ?? 0) - (before.parts[name] ?? 0)) / jobs,
  ]);
  const total = (after.total - before.total) / jobs;
  const known = grown.reduce((sum, [, bytes]) => sum + bytes, 0);
  return { total, parts: { ...Object.fromEntries(grown), [TABLES]: total - known } };
}

/** Parts of less than this are not shown, in bytes per job. */
const WORTH_SHOWING = 1;

export function formatMemory({ jobs, waiting, settled, old }: JobMemory): string {
  const times = [waiting, settled, old];
  const names = new Set(times.flatMap(({ parts }) => Object.keys(parts)));
  const rows = [...names].flatMap((name) => {
    const bytes = times.map(({ parts }) => parts[name] ?? 0);
    const most = Math.max(...bytes.map(Math.abs));
    return most < WORTH_SHOWING ? [] : [{ name, bytes, most }];
  });
  const largest = rows.toSorted((one, other) => other.most - one.most);
  const columns = ["waiting", "settled", "after 30 m"].map((title) => ({ title, align: "right" as const }));
  const all = { name: "all", bytes: times.map(({ total }) => total) };
  return formatTable(
    [{ title: `Redis, bytes per job of ${jobs}` }, ...columns],
    [...largest, all].map(({ name, bytes }) => [name, ...bytes.map((one) => one.toFixed(0))]),
  );
}
