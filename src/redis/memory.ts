import { Cluster, type Redis } from "ioredis";
import type { RedisClient } from "./connection.ts";

/** What one node says of its memory, in bytes and ms. */
export interface RedisMemory {
  readonly used: number;
  /** What it takes without any data. */
  readonly base: number;
  /** `maxmemory`, or else the machine's; null: it does not say. */
  readonly limit: { readonly bytes: number; readonly of: "maxmemory" | "the machine" } | null;
  /** Keys that expire: nearly all are records. */
  readonly expiring: number;
  /** The time that they have left on average, as Redis samples it; 0: not known. In ms. */
  readonly averageLeftMs: number;
}

/** The memory of each master; empty where INFO is refused. */
export async function readMemory(client: RedisClient): Promise<RedisMemory[]> {
  const nodes: readonly Redis[] = client instanceof Cluster ? client.nodes("master") : [client];
  const infos = await Promise.all(
    nodes.map(async (node) => {
      try {
        return await node.info();
      } catch (error) {
        if (error instanceof Error && error.name === "ReplyError") return null;
        throw error;
      }
    }),
  );
  return infos.flatMap((info) => (info === null ? [] : [memoryOf(info)]));
}

/** From INFO's text. */
export function memoryOf(info: string): RedisMemory {
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const [maxmemory, machine] = [field("maxmemory"), field("total_system_memory")];
  const limit =
    maxmemory > 0
      ? ({ bytes: maxmemory, of: "maxmemory" } as const)
      : machine > 0
        ? ({ bytes: machine, of: "the machine" } as const)
        : null;
  const spaces = Array.from(info.matchAll(/^db\d+:keys=\d+,expires=(\d+),avg_ttl=(\d+)/gm), ([, count, left]) => ({
    count: Number(count),
    leftMs: Number(left),
  })).toSorted((a, b) => b.count - a.count);
  return {
    used: field("used_memory"),
    base: field("used_memory_startup"),
    limit,
    expiring: spaces[0]?.count ?? 0,
    averageLeftMs: spaces[0]?.leftMs ?? 0,
  };
}
