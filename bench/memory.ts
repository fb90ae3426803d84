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

export function formatMemory({ jobs, waiting, settled }: JobMemory): string {
  const names = Object.keys({ ...waiting.parts, ...settled.parts });
  const rows = names.flatMap((name): [string, number, number][] => {
    const [one, other] = [waiting.parts[name] ?? 0, settled.parts[name] ?? 0];
    return Math.max(Math.abs(one), Math.abs(other)) < WORTH_SHOWING ? [] : [[name, one, other]];
  });
  const largest = rows.toSorted((one, other) => Math.max(other[1], other[2]) - Math.max(one[1], one[2]));
  const title = { title: `Redis, bytes per job of ${jobs}` };
  const right = "right" as const;
  return formatTable(
    [title, { title: "waiting", align: right }, { title: "settled", align: right }],
    [...largest, ["all", waiting.total, settled.total] as const].map(([name, one, other]) => [
      name,
      one.toFixed(0),
      other.toFixed(0),
    ]),
  );
}
