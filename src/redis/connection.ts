import type { ConnectionOptions } from "node:tls";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import { assertNever } from "../base/assert-never.ts";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { Secret } from "../secrets/secret.ts";
import { expectDroppedReplies } from "./dropped-replies.ts";
import { markErrors } from "./error-source.ts";
import { failForgottenCommands } from "./forgotten-commands.ts";
import { HeardSentinels } from "./heard-sentinels.ts";
import { PLAIN_TLS, type RedisTls } from "./tls.ts";
import { refusalWord } from "./refusal.ts";
import { describeRedis, type RedisSetting, type RedisTarget, usesTls } from "./url.ts";
import { tellNodeTrouble } from "./node-trouble.ts";
import { leaveSilentNodes } from "./silent-nodes.ts";
import { reasonOf, removeCommand, unreachable } from "./unreachable.ts";

export { assertSuitable, checkRedis, redisWarnings } from "./facts.ts";

export type RedisClient = Redis | Cluster;

/**
 * `worker`: waits and retries for ever; what BullMQ's workers need. `client`: fails in milliseconds while Redis is away and
 * recovers by itself; connects at the first `ready`.
 */
export type RedisRole = "worker" | "client";

/** A host that swallows packets is given up after this, in ms; one that refuses says so at once. */
const CONNECT_TIMEOUT_MS = 2_000;
/** From the connection (which a proxy may take for a Redis that is away) until commands can be sent, in ms; then once more. */
const HANDSHAKE_MS = 1_500;
/** Behind Sentinel: for a second after a failover one of the sentinels may still name the frozen master. In ms. */
const SENTINEL_HANDSHAKE_MS = 600;
/** A Redis that takes a command and says nothing is connected to again, in ms. BullMQ's workers block up to 10 s on purpose. */
const SILENCE_MS = { worker: 15_000, client: 5_000 } as const;
/** Longest wait for the first connection with everything that is said before it is ready, in ms. */
const FIRST_CONNECTION_MS = 2_500;
/** Between two attempts, in ms: doubles from the first to the last, which is short, so that it is soon back after a failover. */
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 250;
/** A command that was sent again, because its connection was lost, is not answered before this, in ms. */
export const RESENT_MS = RETRY_FIRST_MS - 10;
const READONLY_AGAIN_MS = 1_000;
/** A server that is left closes its end within this, in ms, or is frozen: ioredis' 2 s came on top of each failover. */
const GOODBYE_MS = 100;
/** For replies that are under way when a connection is closed, in ms. */
const CLOSE_MS = 1_000;

/** It took the connection, and says nothing. */
const NO_ANSWER = "no answer; it may be loading its data, busy or frozen";

/** What `ready` knows of a connection beyond its status. */
const LINK = Symbol("satyapan.link");
interface Link {
  /** For messages: no password. */
  readonly address: string;
  readonly setting: RedisSetting;
  /** Why it is not connected now; null: it is, or was never tried. */
  failure: string | null;
  /** The first connection, one for all who wait for it: whether it has ended, well or badly. */
  first: Promise<boolean> | null;
  /** By `closeRedis`, which takes its time. */
  isClosed: boolean;
}
type Linked = RedisClient & { [LINK]?: Link };

/**
 * A connection named `satyapan-ROLE` to any kind of Redis. `onError` hears of every failure to connect, as a SatyapanError
 * REDIS_UNREACHABLE. No `keyPrefix`, no auto-pipelining, legacy replies: BullMQ needs it so (facts/bullmq §0.10, §1.12, §5).
 * `tls` counts only where the target says TLS. `setting`: which one named the target, for messages.
 */
export function connectRedis(
  target: RedisTarget,
  role: RedisRole,
  onError: (error: Error) => void,
  tls: RedisTls = PLAIN_TLS,
  setting: RedisSetting = "REDIS_URL",
): RedisClient {
  const secure = usesTls(target) ? tlsOptions(tls) : null;
  const client: Linked =
    target.kind === "cluster" ? openCluster(target, role, secure) : openSingle(target, role, secure);
  const link: Link = { address: describeRedis(target), setting, failure: null, first: null, isClosed: false };
  client[LINK] = link;
  if (setting !== "REDIS_URL") markErrors(client);
  client.on("ready", () => (link.failure = null));
  endlessHandshakesEnd(client, link, target.kind === "sentinel" ? SENTINEL_HANDSHAKE_MS : HANDSHAKE_MS);
  client.on("close", () => (link.failure ??= "the connection was closed"));
  client.on("error", (error: Error) => {
    removeCommand(error);
    link.failure = reasonOf(error);
    onError(unreachable(link.address, link.failure, setting));
  });
  return client;
}

/**
 * Resolves when commands can be sent. The first call connects and waits for how that ends; later ones do not wait.
 * @throws SatyapanError REDIS_UNREACHABLE in milliseconds where Redis refuses or a connection is being made again, after at
 * most 2.5 s where nothing answers; CLOSED for a connection that was closed.
 */
export async function ready(client: RedisClient): Promise<void> {
  const link = (client as Linked)[LINK];
  if (link === undefined) throw new TypeError("not a connection of connectRedis");
  if (client.status === "end" || link.isClosed) throw closed();
  if (client.status === "ready") return;
  if (link.failure === null) {
    link.first ??= firstAttempt(client);
    const ended = await link.first;
    link.first = null;
    if (!ended) link.failure ??= NO_ANSWER;
    if (link.isClosed) throw closed();
  }
  if (link.failure !== null) throw unreachable(link.address, link.failure, link.setting);
}

/** The setting that names this connection's Redis. */
export function settingOf(client: RedisClient): RedisSetting {
  return (client as Linked)[LINK]?.setting ?? "REDIS_URL";
}

function closed(): SatyapanError {
  return new SatyapanError(ErrorCode.CLOSED, "this Redis connection is closed; open a new one");
}

/** Sends what is under way, closes, and returns within about a second, also while Redis is away. May be called twice. */
export async function closeRedis(client: RedisClient): Promise<void> {
  // What is still asked of it fails for that, in whatever state it is found: not because Redis were away.
  const link = (client as Linked)[LINK];
  if (link !== undefined) link.isClosed = true;
  if (client.status === "end") return;
  if (client.status === "ready") {
    const gone = client.quit().then(
      () => true,
      () => false,
    );
    if (await Promise.race([gone, after(CLOSE_MS)])) return;
  }
  client.disconnect();
}

/** ioredis waits for ever for the replies to what it says first. */
function endlessHandshakesEnd(client: RedisClient, link: Link, ms: number): void {
  let timer: NodeJS.Timeout | undefined;
  client.on("connect", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      link.failure ??= NO_ANSWER; // before the end that we make ourselves
      client.disconnect(true);
    }, ms);
  });
  client.on("ready", () => clearTimeout(timer));
  client.on("close", () => clearTimeout(timer));
}

/** Resolves when it is ready or has failed, with false if neither happens in time. */
async function firstAttempt(client: RedisClient): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const end = (): void => resolve(true);
  client.on("ready", end).on("error", end).on("close", end);
  const timer = setTimeout(resolve, FIRST_CONNECTION_MS, false);
  // What it rejects with is heard as an event, too.
  if (client.status === "wait") client.connect().catch(() => {});
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    client.off("ready", end).off("error", end).off("close", end);
  }
}

/** BullMQ reads RESP2's shapes (facts/bullmq §5); the constructors' types want it said. */
type Options = RedisOptions & { readonly replyMapping: "legacy" };
type SingleTarget = Exclude<RedisTarget, { kind: "cluster" }>;
type ClusterTarget = Extract<RedisTarget, { kind: "cluster" }>;

function optionsFor(target: SingleTarget, role: RedisRole, tls: ConnectionOptions | null): Options {
  const common: Options = {
    ...nodeOptions(target, role),
    ...offline(role),
    retryStrategy: retryDelay,
    db: target.db ?? 0,
    reconnectOnError: reconnectOnReadOnly(),
  };
  switch (target.kind) {
    case "standalone":
      return { ...common, ...target.address, ...(tls === null ? {} : { tls }) };
    case "unix":
      return { ...common, path: target.path };
    case "sentinel":
      return {
        ...common,
        sentinels: [...target.sentinels],
        name: target.master,
        sentinelRetryStrategy: retryDelay,
        // A sentinel that was away for a moment is heard again.
        sentinelReconnectStrategy: retryDelay,
        // Without it a connection stays on a master that froze, and goes on there until it is demoted.
        failoverDetector: true,
        Connector: HeardSentinels,
        ...(tls === null ? {} : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
        ...(target.sentinelUsername === undefined ? {} : { sentinelUsername: target.sentinelUsername }),
        ...(target.sentinelPassword === undefined ? {} : { sentinelPassword: target.sentinelPassword.open() }),
      };
    default:
      return assertNever(target, "kind of Redis");
  }
}

function openSingle(target: SingleTarget, role: RedisRole, tls: ConnectionOptions | null): Redis {
  const client = new Redis(optionsFor(target, role, tls));
  expectDroppedReplies(client);
  if (role === "client") failForgottenCommands(client);
  return client;
}

function openCluster(target: ClusterTarget, role: RedisRole, tls: ConnectionOptions | null): Cluster {
  const cluster = new Cluster([...target.nodes], {
    ...offline(role),
    redisOptions: { ...nodeOptions(target, role), ...(tls === null ? {} : { tls }) },
    clusterRetryStrategy: retryDelay,
    // A client's command to a node that is down fails in about 0.2 s instead of 1.6 s (16 × 100 ms).
    // A worker's is waited out, however long a failover or a slot's move takes: it may hold the reply of a call.
    ...(role === "client"
      ? { maxRedirections: 4, retryDelayOnFailover: 50, retryDelayOnClusterDown: 50 }
      : { maxRedirections: Number.MAX_SAFE_INTEGER }),
    // A certificate is for names: what the nodes call themselves is not resolved before.
    ...(tls === null ? {} : { dnsLookup: unresolved }),
  });
  leaveSilentNodes(cluster);
  tellNodeTrouble(cluster);
  return cluster;
}

function nodeOptions(target: { readonly username?: string; readonly password?: Secret }, role: RedisRole): Options {
  return {
    replyMapping: "legacy",
    connectionName: `satyapan-${role}`,
    disableClientInfo: true, // its name says enough, and no ACL has to allow CLIENT SETINFO
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: GOODBYE_MS,
    maxRetriesPerRequest: role === "worker" ? null : 1,
    socketTimeout: SILENCE_MS[role],
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password.open() }),
  };
}

/**
 * Behind one address another server may be master now, while old connections stay with what is a replica by now. Connected
 * to again at most once a second: the address may lead to the replica for a while.
 */
function reconnectOnReadOnly(): (error: Error) => boolean {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (refusalWord(error) !== "READONLY" || performance.now() - lastAt < READONLY_AGAIN_MS) return false;
    lastAt = performance.now();
    return true;
  };
}

/** A client's commands are not kept for later: a timed-out one would be carried out all the same (facts/bullmq §1.12). */
function offline(role: RedisRole): { enableOfflineQueue: boolean; lazyConnect: boolean } {
  return { enableOfflineQueue: role === "worker", lazyConnect: role === "client" };
}

function unresolved(name: string, callback: (error: null, address: string) => void): void {
  callback(null, name);
}

/** Said although they are Node's defaults: NODE_TLS_REJECT_UNAUTHORIZED and NODE_OPTIONS could weaken those. */
function tlsOptions({ ca, client }: RedisTls): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(ca === null ? {} : { ca }),
    ...(client === null ? {} : { cert: client.certificate, key: client.key.open() }),
  };
}

/** In ms, for the n-th attempt from 1. */
function retryDelay(times: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** (times - 1), RETRY_LAST_MS);
}

async function after(ms: number): Promise<false> {
  const { promise, resolve } = Promise.withResolvers<false>();
  setTimeout(resolve, ms, false).unref();
  return promise;
}
