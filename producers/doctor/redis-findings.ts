import { SatyapanError } from "../../src/base/error.ts";
import { type CommandContext, ExitCode } from "../../src/command/context.ts";
import { openRedisPair } from "../../src/command/redis.ts";
import type { Settings } from "../../src/config/settings.ts";
import { describeForeignOutbox, foreignOutboxes } from "../../src/privacy/audit/outbox.ts";
import { assertNotMadeUp } from "../../src/privacy/made-up.ts";
import { expiryOf } from "../../src/redis/certificates.ts";
import { assertSuitable, checkRedis, ready, type RedisClient, redisWarnings } from "../../src/redis/connection.ts";
import { queuePrefix, QUEUES, queueOf } from "../../src/queues/names.ts";
import type { RedisAccess } from "../../src/redis/access.ts";
import type { RedisPair } from "../../src/redis/pair.ts";
import { redisFailure, refusalText } from "../../src/redis/failure.ts";
import { readMemory } from "../../src/redis/memory.ts";
import { refusalWord } from "../../src/redis/refusal.ts";
import { type RedisRights, rightsOf } from "../../src/queues/rights.ts";
import { usesTls } from "../../src/redis/url.ts";
import { failure, type Finding } from "./finding.ts";
import { fleetFindings, unlessForbidden } from "./fleet-findings.ts";
import { redisMemoryFindings } from "./redis-memory-findings.ts";
import { gateFindings } from "./gate-findings.ts";
import { memoryFinding } from "./memory-finding.ts";
import { providerFacts } from "./provider-facts.ts";

/** A certificate that ends sooner is spoken of, in ms. */
const RENEW_MS = 21 * 86_400_000;

/** What the tried write leaves behind, in ms. */
const WRITE_KEPT_MS = 1_000;

/** The server, its user, and how it is spoken to. */
export async function redisFindings(context: CommandContext, settings: Settings): Promise<Finding[]> {
  let pair: RedisPair | null = null;
  let redis: RedisClient | null = null;
  try {
    pair = await openRedisPair(context, settings);
    const { jobs: access } = pair;
    redis = access.connect("client");
    await ready(redis);
    const facts = await checkRedis(redis);
    try {
      assertSuitable(facts);
    } catch (error) {
      return [failure("redis", error)];
    }
    const detail = `${facts.server} ${facts.version} at ${access.describe()}, ${facts.maxmemoryPolicy}`;
    const warnings = redisWarnings(facts).map((warning): Finding => ({
      check: "redis",
      status: "warning",
      detail: warning,
    }));
    const found: Finding = { check: "redis", status: "ok", detail: facts.aof === true ? `${detail}, AOF on` : detail };
    const rights = await rightsOf(redis, queueOf("eko"));
    const memory = await redisMemoryFindings(redis, context.now).catch(unlessForbidden);
    const server = [
      found,
      ...warnings,
      ...memory,
      userFinding(rights, settings),
      ...tlsFindings(access, context.now()),
    ];
    if (!rights.submit) return server;
    const providers = await providerFacts(redis, settings, context.now);
    const workers = providers.reduce((sum, provider) => sum + provider.workers, 0);
    const writes = await writeFindings(redis);
    return [
      ...server,
      ...writes,
      ...(await madeUpFindings(redis, settings).catch(unlessForbidden)),
      ...(await auditFindings(redis).catch(unlessForbidden)),
      memoryFinding(await readMemory(redis), settings.retention.recordMs),
      ...(await fleetFindings({ pair, redis, settings, now: context.now, workers, takesWrites: writes.length === 0 })),
      ...providers.flatMap((provider) => gateFindings(provider, workers - provider.workers)),
    ];
  } catch (error) {
    return [failure("redis", redis === null ? error : await redisFailure(error, redis))];
  } finally {
    await pair?.close();
  }
}

/** A Redis that answers may still take nothing: it is full, a replica, or short of replicas. */
async function writeFindings(redis: RedisClient): Promise<Finding[]> {
  try {
    for (const queue of QUEUES) await redis.set(`${queuePrefix(queue)}doctor`, "1", "PX", WRITE_KEPT_MS);
    return [];
  } catch (error) {
    const word = refusalWord(error);
    if (word === null || word === "CONNECTION" || word === "TIMEOUT") throw error;
    const detail = `Redis refuses writes (${word}): ${refusalText(word)}`;
    return [{ check: "redis writes", status: "failed", detail, exitCode: ExitCode.UNREACHABLE }];
  }
}

async function madeUpFindings(redis: RedisClient, settings: Settings): Promise<Finding[]> {
  try {
    await assertNotMadeUp(redis, settings);
    return [];
  } catch (error) {
    if (error instanceof SatyapanError) return [failure("made-up people", error)];
    throw error;
  }
}

async function auditFindings(redis: RedisClient): Promise<Finding[]> {
  const foreign = await foreignOutboxes(redis, QUEUES);
  return foreign.map((key) => ({ check: "audit log", status: "failed", detail: describeForeignOutbox(key) }));
}

/** A worker's settings need a worker's user. */
function userFinding({ user, submit, work, operate, administer }: RedisRights, { eko, deepvue }: Settings): Finding {
  const check = "redis user";
  const name = user ?? "the user in REDIS_URL";
  const roles = "deploy/redis/users.acl has what each role needs";
  if (!submit) {
    const detail = `${name} may not even submit jobs: name another user in REDIS_URL; ${roles}`;
    return { check, status: "failed", detail, exitCode: ExitCode.UNREACHABLE };
  }
  if (administer) {
    return { check, status: "ok", detail: `${name} may do everything, also what no role needs (docs/deployment.md)` };
  }
  if (!work && (eko !== null || deepvue !== null)) {
    const detail = `${name} may submit jobs, but a provider has settings and no worker could take jobs: ${roles}`;
    return { check, status: "warning", detail };
  }
  const abilities = ["submit jobs", ...(work ? ["take them"] : []), ...(operate ? ["operate"] : [])];
  return { check, status: "ok", detail: `${name} may ${abilities.join(", ")}${operate ? "" : "; not operate"}` };
}

/** None where it is not used. */
export function tlsFindings({ target, tls }: Pick<RedisAccess, "target" | "tls">, now: number): Finding[] {
  if (!usesTls(target)) return [];
  const check = "redis TLS";
  const ends = tls.client === null ? null : expiryOf(tls.client.certificate);
  if (ends === null) return [{ check, status: "ok", detail: "encrypted, without a client certificate" }];
  const detail = `encrypted, with a client certificate until ${new Date(ends).toISOString()}`;
  if (ends - now > RENEW_MS) return [{ check, status: "ok", detail }];
  return [{ check, status: "warning", detail: `${detail}: renew the one in REDIS_TLS_CERT soon` }];
}
