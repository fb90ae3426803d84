import { Cluster, type Redis } from "ioredis";
import type { RedisClient } from "./connection.ts";
import { memoryOf } from "./memory.ts";
import { refusalWord } from "./refusal.ts";

/** What the server says of itself; of a Cluster's masters the worst, or their sum. */
export interface ServerHealth {
  readonly role: string | null;
  readonly usedBytes: number;
  readonly limitBytes: number | null;
  /** Null: it does not say. */
  readonly noeviction: boolean | null;
  readonly persists: boolean;
  readonly clients: number;
  readonly commands: number;
  readonly evicted: number;
}

export interface RedisHealth {
  /** What a real write was refused with, for example `OOM`; null: it was taken. */
  readonly refusal: string | null;
  /** How long that write took; null: there was no answer. */
  readonly writeMs: number | null;
  /** Null: it does not answer, or may not be asked. */
  readonly server: ServerHealth | null;
}

/** The life of the key that is written, in ms. */
const KEPT_MS = 60_000;

/** Writes a key and reads INFO. `client`: of the client's role, which fails fast. Never rejects where Redis is away. */
export async function readHealth(client: RedisClient, key: string): Promise<RedisHealth> {
  const [written, server] = await Promise.all([write(client, key), readServer(client)]);
  return { ...written, server };
}

/** Nothing is known: it did not answer in time. */
export const NO_ANSWER: RedisHealth = { refusal: "TIMEOUT", writeMs: null, server: null };

async function write(client: RedisClient, key: string): Promise<Pick<RedisHealth, "refusal" | "writeMs">> {
  const begun = performance.now();
  try {
    await client.set(key, "1", "PX", KEPT_MS);
    return { refusal: null, writeMs: performance.now() - begun };
  } catch (error) {
    const refusal = refusalWord(error);
    if (refusal === null) throw error;
    return { refusal, writeMs: null };
  }
}

async function readServer(client: RedisClient): Promise<ServerHealth | null> {
  const nodes: readonly Redis[] = client instanceof Cluster ? client.nodes("master") : [client];
  try {
    const all = (await Promise.all(nodes.map(async (node) => await node.info()))).map(healthOf);
    return all.length === 0 ? null : all.reduce(join);
  } catch (error) {
    if (refusalWord(error) === null) throw error;
    return null;
  }
}

/** From INFO's text. */
function healthOf(info: string): ServerHealth {
  const field = (name: string): string | null => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? null;
  const { used, limit } = memoryOf(info);
  const policy = field("maxmemory_policy");
  return {
    role: field("role"),
    usedBytes: used,
    limitBytes: limit?.bytes ?? null,
    noeviction: policy === null ? null : policy === "noeviction",
    persists: field("aof_enabled") === "1" && field("aof_last_write_status") === "ok",
    clients: Number(field("connected_clients") ?? 0),
    commands: Number(field("total_commands_processed") ?? 0),
    evicted: Number(field("evicted_keys") ?? 0),
  };
}

function join(a: ServerHealth, b: ServerHealth): ServerHealth {
  const fullness = ({ usedBytes, limitBytes }: ServerHealth): number => usedBytes / (limitBytes ?? Infinity);
  const { usedBytes, limitBytes } = fullness(b) > fullness(a) ? b : a;
  return {
    ...{ role: a.role === b.role ? a.role : "mixed", usedBytes, limitBytes },
    noeviction: a.noeviction === null || b.noeviction === null ? null : a.noeviction && b.noeviction,
    persists: a.persists && b.persists,
    clients: a.clients + b.clients,
    commands: a.commands + b.commands,
    evicted: a.evicted + b.evicted,
  };
}
