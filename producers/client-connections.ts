import type { Settings } from "../src/config/settings.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import { openKeyChain } from "../src/privacy/keys/key-chain.ts";
import { SatyapanError } from "../src/base/error.ts";
import { ready, type RedisClient } from "../src/redis/connection.ts";
import type { RedisAccess } from "../src/redis/access.ts";
import { RedisPair } from "../src/redis/pair.ts";
import { RecordStore } from "../src/records/record-store.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { NotStartedError } from "./patience.ts";
import { SettledListener } from "./jobs/settled-listener.ts";

/** What a client has once it is connected. */
export interface ClientConnections {
  readonly pair: RedisPair;
  readonly redis: RedisClient;
  readonly records: RecordStore;
  readonly queues: JobQueues;
  readonly listener: SettledListener;
  readonly dataKeys: DataKeys;
}

/** Connects at first use and runs `work`; what goes wrong in Redis comes out as SatyapanError. */
export type UseRedis = <T>(work: (opened: ClientConnections) => Promise<T>) => Promise<T>;

export interface OpenDeps {
  readonly settings: Settings;
  /** Opened at first use, by their `redisUrl`: the jobs' Redis, and that of the keys where it is another. */
  readonly openRedis: (settings: Settings) => Promise<RedisAccess>;
  readonly now: () => number;
}

/** `now`: Redis' time, ms. */
export async function connectClient({ settings, openRedis, now }: OpenDeps): Promise<ClientConnections> {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await RedisPair.open(settings, async (of) => await started(openRedis(of), of)));
  const { redis, keysRedis } = pair.connect("client");
  const records = new RecordStore(redis, settings.retention);
  const listener = new SettledListener(pair.jobs.connect("client"));
  if (pair.areApart) await ready(keysRedis);
  const { dataKeys } = openKeyChain(keysRedis, settings, now);
  // A Redis that was started again may have lost them: nothing is sealed with a key that nobody can get.
  keysRedis.on("close", () => dataKeys.doubt());
  stack.move();
  return { pair, redis, records, queues: new JobQueues(redis, now), listener, dataKeys };
}

/** One of our own that cannot be started will not start by itself later. */
async function started(opening: Promise<RedisAccess>, { redisUrl }: Settings): Promise<RedisAccess> {
  try {
    return await opening;
  } catch (error) {
    if (redisUrl !== null || !(error instanceof SatyapanError)) throw error;
    throw new NotStartedError(error.code, error.message, { cause: error });
  }
}
