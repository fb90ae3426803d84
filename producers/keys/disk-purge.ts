import { Cluster, type Redis } from "ioredis";
import type { RedisClient } from "../../src/redis/connection.ts";
import type { KeyDeps } from "./key-deps.ts";

/** The files of a Redis that were written anew, so that they hold nothing that was deleted before. */
export interface DiskPurge {
  /** `refused`: its user may not, or it is hosted and does not let anybody; `failed`: see its log. */
  readonly aof: "rewritten" | "off" | "refused" | "failed";
  /** Only where it writes snapshots by itself. */
  readonly snapshot: "rewritten" | "off" | "refused" | "failed";
  /** Their files are their own. */
  readonly replicas: number;
}

const LOOK_MS = 100;

/** What is written anew in the background, by the names of INFO persistence. */
interface Writing {
  readonly start: (node: Redis) => Promise<unknown>;
  readonly busy: readonly string[];
  readonly status: string;
}

const AOF: Writing = {
  start: async (node) => await node.bgrewriteaof(),
  busy: ["aof_rewrite_in_progress", "aof_rewrite_scheduled"],
  status: "aof_last_bgrewrite_status",
};
const SNAPSHOT: Writing = {
  start: async (node) => await node.bgsave("SCHEDULE"),
  busy: ["rdb_bgsave_in_progress"],
  status: "rdb_last_bgsave_status",
};

/** Has Redis write its files anew, and waits for it. Of a Cluster's masters the worst. */
export async function purgeDisk(redis: RedisClient, sleep: KeyDeps["sleep"]): Promise<DiskPurge> {
  const nodes = redis instanceof Cluster ? redis.nodes("master") : [redis];
  const purges = await Promise.all(nodes.map(async (node) => await purgeNode(node, sleep)));
  return purges.reduce((worst, next) => ({
    aof: worse(worst.aof, next.aof),
    snapshot: worse(worst.snapshot, next.snapshot),
    replicas: worst.replicas + next.replicas,
  }));
}

type Ending = DiskPurge["aof"];
const WORST_LAST: readonly Ending[] = ["off", "rewritten", "refused", "failed"];

function worse(one: Ending, other: Ending): Ending {
  return WORST_LAST.indexOf(one) > WORST_LAST.indexOf(other) ? one : other;
}

async function purgeNode(node: Redis, sleep: KeyDeps["sleep"]): Promise<DiskPurge> {
  const aof = await unlessRefused(async () => {
    return (await infoOf(node, "persistence"))("aof_enabled") === "1" ? await write(node, AOF, sleep) : "off";
  });
  const snapshot = await unlessRefused(async () => {
    const [, save = ""] = await node.config("GET", "save");
    return save === "" ? "off" : await write(node, SNAPSHOT, sleep);
  });
  const replicas = await infoOf(node, "replication").then(
    (info) => Number(info("connected_slaves") ?? 0),
    () => 0,
  );
  return { aof, snapshot, replicas };
}

/** What was under way before may hold what was deleted meanwhile: it has to end first. */
async function write(node: Redis, writing: Writing, sleep: KeyDeps["sleep"]): Promise<"rewritten" | "failed"> {
  await idle(node, writing, sleep);
  await writing.start(node).catch((error: unknown) => {
    // Somebody else began one meanwhile, which is as good.
    if (!(error instanceof Error && error.message.includes("in progress"))) throw error;
  });
  const info = await idle(node, writing, sleep);
  return info(writing.status) === "ok" ? "rewritten" : "failed";
}

async function idle(node: Redis, { busy }: Writing, sleep: KeyDeps["sleep"]) {
  for (;;) {
    const info = await infoOf(node, "persistence");
    if (busy.every((field) => info(field) !== "1")) return info;
    await sleep(LOOK_MS);
  }
}

async function infoOf(node: Redis, section: string): Promise<(field: string) => string | undefined> {
  const text = await node.info(section);
  return (field) => new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(text)?.[1];
}

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | "refused"> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return "refused";
    throw error;
  }
}
