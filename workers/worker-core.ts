import { collectDefaultMetrics, Registry } from "prom-client";
import { ownVersion } from "../src/command/version.ts";
import type { Settings } from "../src/config/settings.ts";
import { GateControl } from "../src/limits/control.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import { assertWraps, type KeyChain, openKeyChain } from "../src/privacy/keys/key-chain.ts";
import { assertNotMadeUp } from "../src/privacy/made-up.ts";
import { isDrift } from "../src/providers/clock-offset.ts";
import { OPERATIONS } from "../src/operations/catalogue.ts";
import { queuePrefix, queueOf } from "../src/queues/names.ts";
import { createIds, type Ids } from "../src/records/ids.ts";
import { RecordStore } from "../src/records/record-store.ts";
import type { RedisAccess } from "../src/redis/access.ts";
import { type Monotonic, sleeplessClock } from "../src/base/sleepless-clock.ts";
import { RedisClock } from "../src/redis/clock.ts";
import type { RedisPair } from "../src/redis/pair.ts";
import {
  assertSuitable,
  checkRedis,
  ready,
  type RedisClient,
  type RedisRole,
  redisWarnings,
} from "../src/redis/connection.ts";
import { sharesMessages } from "../src/redis/shares-messages.ts";
import { shortValue } from "../src/redis/short-value.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import { Metrics } from "../src/telemetry/metrics.ts";
import { Providers } from "./calls.ts";
import { openTracing } from "./open-tracing.ts";
import { ClockWatch } from "./redis-memory.ts";
import type { Tracing } from "./tracing.ts";

const CLOCK_LOOK_MS = 1_000;

/** What all parts of a worker share. */
export interface WorkerCore {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly providers: Providers;
  /** Waits while Redis is away. */
  readonly connection: RedisClient;
  /** One more connection to the jobs' Redis, for who waits there. */
  readonly connect: (role: RedisRole) => RedisClient;
  /** Fails fast while Redis is away: the client's role. */
  readonly probe: RedisClient;
  readonly clock: RedisClock;
  /** Redis' time, ms. */
  readonly redisNow: () => number;
  /** By which permits grow old. */
  readonly monotonic: Monotonic;
  readonly records: RecordStore;
  /** The longest value of a short hash, bytes (`shortValue`). */
  readonly shortValue: number;
  readonly control: GateControl;
  readonly ids: Ids;
  readonly keyChain: KeyChain;
  /** Null: there are no traces. */
  readonly tracing: Tracing | null;
}

export interface WorkerCoreDeps {
  readonly settings: Settings;
  readonly redis: RedisPair;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Opens it onto `started`, and checks both Redis and the keys. Throws SatyapanError. */
export async function openCore(
  { settings, redis, logger, now }: WorkerCoreDeps,
  probe: RedisClient,
  started: AsyncDisposableStack,
): Promise<WorkerCore> {
  const monotonic = sleeplessClock(now);
  const providers = new Providers(
    settings,
    now,
    (provider, offsetMs) => logDrift(logger, provider, offsetMs),
    monotonic,
  );
  started.defer(async () => await providers.destroy());
  await ready(probe);
  const facts = await checkRedis(probe);
  assertSuitable(facts);
  await assertNotMadeUp(probe, settings);
  for (const warning of redisWarnings(facts)) logger.warn({ redis: redis.jobs.describe(), warning }, "redis warning");

  const metrics = new Metrics(new Registry());
  collectDefaultMetrics({ register: metrics.registry });
  metrics.worker.built(ownVersion(), process.versions.node);
  metrics.startAtZero(OPERATIONS.filter(({ provider }) => providers.served.includes(provider)));
  const tracing = await openTracing({ settings, redis: probe, logger, metrics }, started);
  const { redis: connection, keysRedis: keysConnection } = redis.connect("worker");
  const clock = new RedisClock({ now });
  for (const provider of providers.served) await clock.learn(probe, queuePrefix(queueOf(provider)));
  const shortValues = await Promise.all(
    providers.served.map(async (provider) => await shortValue(probe, `${queuePrefix(queueOf(provider))}probe`)),
  );
  const redisNow = (): number => clock.now();
  const clockWatch = new ClockWatch(clock, logger);
  const watching = setInterval(() => clockWatch.look(), CLOCK_LOOK_MS).unref();
  started.defer(() => clearInterval(watching));
  clockWatch.look();

  if (redis.areApart) assertSuitable(await checkRedis(await readyClient(redis.keys)), "KEYS_REDIS_URL");
  const keyChain = openKeyChain(keysConnection, settings, redisNow);
  await assertWraps(keyChain);
  await keyChain.dataKeys.listen(
    (await sharesMessages(keysConnection)) ? keysConnection : redis.keys.connect("worker"),
  );
  return {
    ...{
      settings,
      logger,
      metrics,
      providers,
      connection,
      probe,
      clock,
      redisNow,
      monotonic,
      keyChain,
      tracing,
      ids: createIds(),
    },
    connect: (role) => redis.jobs.connect(role),
    records: new RecordStore(connection, settings.retention),
    shortValue: Math.min(...shortValues),
    control: new GateControl(probe),
  };
}

async function readyClient(access: RedisAccess): Promise<RedisClient> {
  const client = access.connect("client");
  await ready(client);
  return client;
}

/** Says once when a difference begins, and once when it is over. */
function logDrift(logger: Logger, provider: ProviderName, offsetMs: number): void {
  const facts = { provider, clock_offset_ms: offsetMs };
  if (isDrift(offsetMs))
    logger.rarely.warn(facts, "our clock differs from the provider's: set it (NTP); signatures follow the provider's");
  else logger.rarely.info(facts, "our clock agrees with the provider's again");
}
