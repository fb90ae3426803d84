import { setTimeout as sleep } from "node:timers/promises";
import { Cluster, type Redis } from "ioredis";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { isPassingRefusal } from "./refusal.ts";
import type { RedisSetting } from "./url.ts";
import { isAtLeastMinimum, MINIMUM_VERSION } from "./version.ts";

/** What a Redis says of itself; of a Cluster's masters the worst. `unknown`: it may not or does not say. */
export interface RedisFacts {
  readonly server: "redis" | "valkey" | "unknown";
  /** For example `7.2.4`; Valkey's own. */
  readonly version: string;
  /** `noeviction`, or what else it does when its memory is full. */
  readonly maxmemoryPolicy: string;
  /** False: what was accepted may be lost when it stops. */
  readonly aof: boolean | "unknown";
  /** Whether it takes a write that none of its replicas could take over (`min-replicas-to-write 0`). */
  readonly replicas: ReplicaUse;
}

/** From the best to the worst. */
const REPLICA_USES = ["none", "required", "unknown", "optional"] as const;
type ReplicaUse = (typeof REPLICA_USES)[number];

/** A Cluster's connection to one node does not come back by itself: the number of times that all are asked, and the time between, in ms. */
const TRIES = 4;
const AGAIN_MS = 250;

/** Asks by INFO, and where that does not tell the policy (or is forbidden), by CONFIG. Throws ioredis' errors of a lost connection. */
export async function checkRedis(client: Redis | Cluster): Promise<RedisFacts> {
  if (!(client instanceof Cluster)) return await factsOf(client);
  for (let tries = 1; ; tries++) {
    try {
      return await worstOf(client.nodes("master"));
    } catch (error) {
      if (tries === TRIES || !isPassingRefusal(error)) throw error;
      await sleep(AGAIN_MS);
    }
  }
}

async function worstOf(nodes: readonly Redis[]): Promise<RedisFacts> {
  const facts = await Promise.all(nodes.map(factsOf));
  if (facts.length === 0) throw new Error("None of startup nodes is available");
  return facts.reduce((worst, next) => ({
    server: next.server,
    version: compareVersions(next.version, worst.version) < 0 ? next.version : worst.version,
    maxmemoryPolicy: worst.maxmemoryPolicy === "noeviction" ? next.maxmemoryPolicy : worst.maxmemoryPolicy,
    aof: worst.aof === true ? next.aof : worst.aof,
    replicas: REPLICA_USES.findLast((use) => use === worst.replicas || use === next.replicas) ?? "unknown",
  }));
}

/**
 * A full Redis that evicts loses jobs and locks (facts/bullmq §5.17). What is unknown is let through: `redisWarnings` says so.
 * `setting`: which one names it.
 * @throws SatyapanError REDIS_UNSUITABLE
 */
export function assertSuitable(facts: RedisFacts, setting: RedisSetting = "REDIS_URL"): void {
  const unsuitable = (what: string): SatyapanError =>
    new SatyapanError(
      ErrorCode.REDIS_UNSUITABLE,
      `${setting === "REDIS_URL" ? "Redis" : `the Redis of ${setting}`} ${what}`,
    );
  if (facts.server === "redis" && !isAtLeastMinimum(facts.version)) {
    throw unsuitable(`is version ${facts.version}: use ${MINIMUM_VERSION} or newer, or Valkey`);
  }
  if (facts.maxmemoryPolicy !== "noeviction" && facts.maxmemoryPolicy !== "unknown") {
    throw unsuitable(
      `has maxmemory-policy ${facts.maxmemoryPolicy} and would throw jobs away when it is full: ` +
        "set maxmemory-policy noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, and in its configuration)",
    );
  }
}

/** What a failover can cost; measured in docs/reliability.md. */
const SPLIT =
  "Redis takes writes that no replica has: a failover can lose accepted jobs and journal entries, and while two are master " +
  "(a split) calls go out that no journal knows, OTPs twice among them, beyond the quota; " +
  "set min-replicas-to-write 1 and min-replicas-max-lag 2 on every node that can become master";

/** What a person should know though nothing is refused for it. */
export function redisWarnings(facts: RedisFacts): string[] {
  const warnings: string[] = [];
  if (facts.aof === false)
    warnings.push("Redis keeps no AOF: accepted jobs are lost when it stops; set appendonly yes");
  if (facts.aof === "unknown") warnings.push("Redis does not say whether it keeps an AOF: make sure that it persists");
  if (facts.server === "unknown")
    warnings.push(`Redis does not say its version: it must be ${MINIMUM_VERSION} or newer`);
  if (facts.maxmemoryPolicy === "unknown") {
    warnings.push("Redis does not say its maxmemory-policy: it must be noeviction");
  }
  if (facts.replicas === "optional") warnings.push(SPLIT);
  return warnings;
}

async function factsOf(node: Redis): Promise<RedisFacts> {
  const info = await allowed(node.info());
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info ?? "")?.[1];
  const valkey = field("valkey_version");
  const redis = field("redis_version");
  const aof = field("aof_enabled");
  return {
    server: valkey === undefined ? (redis === undefined ? "unknown" : "redis") : "valkey",
    version: valkey ?? redis ?? "unknown",
    maxmemoryPolicy: field("maxmemory_policy") ?? (await policyFromConfig(node)) ?? "unknown",
    aof: aof === undefined ? "unknown" : aof === "1",
    replicas: replicasOf(field),
  };
}

/** INFO counts the good replicas only where writes need some. */
function replicasOf(field: (name: string) => string | undefined): ReplicaUse {
  const connected = field("connected_slaves");
  if (connected === undefined) return "unknown";
  if (field("min_slaves_good_slaves") !== undefined) return "required";
  return connected === "0" ? "none" : "optional";
}

async function policyFromConfig(node: Redis): Promise<string | undefined> {
  const reply = await allowed(node.config("GET", "maxmemory-policy"));
  return Array.isArray(reply) && typeof reply[1] === "string" ? reply[1] : undefined;
}

/** Null where the server refuses the command: by its ACL, or because a hosted Redis does not know it. */
async function allowed<T>(reply: Promise<T>): Promise<T | null> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return null;
    throw error;
  }
}

/** Negative where `a` is older; `unknown` is oldest. */
function compareVersions(a: string, b: string): number {
  return a === b ? 0 : a.localeCompare(b, "en", { numeric: true }) * (a === "unknown" || b === "unknown" ? -1 : 1);
}
