import type { Settings } from "../../src/config/settings.ts";
import type { DataKeys } from "../../src/privacy/keys/data-keys.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { ready, type RedisClient } from "../../src/redis/connection.ts";
import type { RedisAccess } from "../../src/redis/access.ts";
import { RedisPair } from "../../src/redis/pair.ts";
import { RedisClock } from "../../src/redis/clock.ts";
import { redisFailure } from "../../src/redis/failure.ts";
import { providerOf, queuePrefix, queueOf } from "../../src/queues/names.ts";
import { TicketSizes } from "../../src/limits/ticket-size.ts";
import { RecordStore } from "../../src/records/record-store.ts";
import { Traces } from "../../src/records/traces.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { NotStartedError } from "./patience.ts";
import { SettledListener } from "./settled-listener.ts";

/** What a client has once it is connected. */
export interface ClientConnections {
  readonly pair: RedisPair;
  readonly redis: RedisClient;
  readonly records: RecordStore;
  readonly traces: Traces;
  readonly queues: JobQueues;
  readonly ticketSizes: TicketSizes;
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

/** Redis' time is good for this long without asking again, in ms. */
const TIME_FOR_MS = 10_000;

/** The connections of one client: made at first use, and anew after a failure, until they are closed for good. */
export class LazyConnections {
  /** Redis' time, learnt from it: what a producer's own clock says is of no matter. */
  readonly clock: RedisClock;
  /** Rejects with SatyapanError, also where Redis failed `work`. */
  readonly use: UseRedis = async (work) => {
    const connections = await this.connect();
    try {
      return await work(connections);
    } catch (error) {
      throw await redisFailure(error, connections.redis);
    }
  };
  readonly #deps: OpenDeps;
  #opening: Promise<ClientConnections> | null = null;
  #closed = false;

  constructor(deps: OpenDeps) {
    this.#deps = deps;
    this.clock = new RedisClock({ now: deps.now });
  }

  async connect(): Promise<ClientConnections> {
    if (this.#closed) throw new SatyapanError(ErrorCode.CLOSED, "this client is closed; create a new one");
    this.#opening ??= openConnections({ ...this.#deps, now: () => this.clock.now() });
    let connections;
    try {
      connections = await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
    await ready(connections.redis);
    try {
      await this.clock.learn(connections.redis, `${queuePrefix(queueOf("eko"))}control`, TIME_FOR_MS);
    } catch (error) {
      throw await redisFailure(error, connections.redis);
    }
    return connections;
  }

  /** Never hangs. */
  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = null;
    const connections = await opening?.catch(() => null);
    if (connections === null || connections === undefined) return;
    connections.listener.wakeAll();
    await connections.queues.close();
    await connections.pair.close();
  }
}

/** `now`: Redis' time, ms. */
async function openConnections({ settings, openRedis, now }: OpenDeps): Promise<ClientConnections> {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await RedisPair.open(settings, async (of) => await started(openRedis(of), of)));
  const { redis, keysRedis } = pair.connect("client");
  const records = new RecordStore(redis, settings.retention);
  const share = settings.tracing?.share ?? null;
  const traces = new Traces({ redis, records, keptMs: settings.retention.recordMs, share });
  const listener = new SettledListener(pair.jobs.connect("client"));
  if (pair.areApart) await ready(keysRedis);
  const { dataKeys } = openKeyChain(keysRedis, settings, now);
  // A Redis that was started again may have lost them: nothing is sealed with a key that nobody can get.
  keysRedis.on("close", () => dataKeys.doubt());
  stack.move();
  const queues = new JobQueues(redis, now);
  const ticketSizes = new TicketSizes(redis, (queue) => settings.quotas[providerOf(queue)], now);
  return { pair, redis, records, traces, queues, ticketSizes, listener, dataKeys };
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
