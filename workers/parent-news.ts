import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { FencedError } from "../src/batches/fenced.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { ParentKind } from "../src/records/parent.ts";
import { ParentOutbox, type ParentNews, type StrayEntry } from "../src/records/parent-outbox.ts";
import { ready, type RedisClient } from "../src/redis/connection.ts";
import type { Duty } from "../src/redis/lease.ts";
import { isPassingRefusal } from "../src/redis/refusal.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";

/**
 * Takes news of one queue for parents of one kind, oldest first. It is told the same again after a crash, or where it failed, so it
 * must not matter; an entry is removed once it has resolved.
 */
export type ParentHandler = (queue: QueueName, news: readonly ParentNews[]) => Promise<void>;

export interface ParentNewsDeps {
  readonly queues: readonly QueueName[];
  readonly duty: Duty;
  readonly handlers: Readonly<Partial<Record<ParentKind, ParentHandler>>>;
  /** A connection of its own per queue, of the client's role: it waits there. Opened when the duty is first held. */
  readonly connect: () => RedisClient;
  readonly metrics: Pick<Metrics, "unreadable">;
  readonly logger: Logger;
}

/** Entries taken at once. */
const AT_ONCE = 200;
/** How long Redis is waited for at a time: less than a client's patience with a silent Redis. */
const WAIT_MS = 4_000;
/** Between two looks without the duty; after an error, in ms. */
const LOOK_MS = 500;
const AGAIN_MS = 500;

/**
 * Hands what jobs tell their parents to the handlers: by one worker for all, at least once, in order. An entry that its handler
 * cannot take is set aside, counted, and holds back no other.
 */
export class ParentNewsLoop {
  readonly #deps: ParentNewsDeps;
  readonly #stop = new AbortController();
  readonly #connections: RedisClient[] = [];
  readonly #running: Promise<unknown>;

  constructor(deps: ParentNewsDeps) {
    this.#deps = deps;
    this.#running = Promise.all(deps.queues.map(async (queue) => await this.#run(queue)));
  }

  /** Ends after what is being handled. */
  async close(): Promise<void> {
    this.#stop.abort();
    // Whoever waits for news hears no more of it.
    for (const connection of this.#connections) connection.disconnect();
    await this.#running;
  }

  async #run(queue: QueueName): Promise<void> {
    const { duty, connect, logger } = this.#deps;
    const { signal } = this.#stop;
    const pause = async (ms: number): Promise<void> =>
      await sleep(ms, undefined, { signal, ref: false }).catch(() => {});
    let redis: RedisClient | null = null;
    let outbox: ParentOutbox | null = null;
    let [isFailing, isForeign] = [false, false];
    while (!signal.aborted) {
      if (!duty.held) {
        await pause(LOOK_MS);
        continue;
      }
      try {
        redis ??= this.#opened(connect());
        await ready(redis);
        outbox ??= new ParentOutbox(redis, queue);
        const found = await outbox.read(AT_ONCE, WAIT_MS);
        if (found.length > 0 && duty.held) await this.#take(queue, outbox, found);
        if (outbox.isForeign && !isForeign) this.#sayForeign(queue);
        isForeign = outbox.isForeign;
        if (isFailing) logger.rarely.info({ queue }, "parents are told again");
        isFailing = false;
      } catch (err) {
        if (signal.aborted) return;
        if (!isFailing) logger.rarely.warn({ err, queue }, "parents cannot be told");
        isFailing = true;
        await pause(AGAIN_MS);
      }
    }
  }

  #sayForeign(queue: QueueName): void {
    this.#deps.logger.rarely.error(
      { queue, code: ErrorCode.UNREADABLE },
      "the outbox of what parents are told holds something else: entries go to the second one (:aside)",
    );
  }

  #opened(connection: RedisClient): RedisClient {
    this.#connections.push(connection);
    return connection;
  }

  async #take(queue: QueueName, outbox: ParentOutbox, found: readonly (ParentNews | StrayEntry)[]): Promise<void> {
    for (const stray of found) if (!isNews(stray)) await this.#setAside(queue, outbox, stray, null);
    const news = found.filter(isNews);
    for (const [kind, ofKind] of Map.groupBy(news, ({ parent }) => parent.kind)) {
      const handler = this.#deps.handlers[kind];
      if (handler !== undefined && (await this.#handled(handler, queue, ofKind))) {
        await outbox.remove(ofKind);
        continue;
      }
      // One of them is at fault: which, each by itself tells.
      for (const one of ofKind) {
        if (this.#stop.signal.aborted) return;
        const fault = handler === undefined ? null : await faultOf(handler, queue, one);
        if (handler !== undefined && fault === null) await outbox.remove([one]);
        else await this.#setAside(queue, outbox, one, fault);
      }
    }
  }

  /** Rejects with what passes: then all is told again. */
  async #handled(handler: ParentHandler, queue: QueueName, news: readonly ParentNews[]): Promise<boolean> {
    try {
      await handler(queue, news);
      return true;
    } catch (error) {
      if (passes(error)) throw error;
      return false;
    }
  }

  async #setAside(queue: QueueName, outbox: ParentOutbox, stray: StrayEntry, err: unknown): Promise<void> {
    const { logger, metrics } = this.#deps;
    await outbox.setAside(stray);
    metrics.unreadable("parents");
    const { entry } = stray;
    const about = isNews(stray) ? { job: stray.id, parent: stray.parent } : {};
    logger.rarely.error(
      { queue, entry, ...about, code: ErrorCode.UNREADABLE, err },
      "news for a parent that nobody can take: set aside",
    );
  }
}

/** Null: it was taken. Rejects with what passes. */
async function faultOf(handler: ParentHandler, queue: QueueName, news: ParentNews): Promise<unknown> {
  try {
    await handler(queue, [news]);
    return null;
  } catch (error) {
    if (passes(error)) throw error;
    return error ?? new TypeError("a handler threw nothing");
  }
}

function passes(error: unknown): boolean {
  if (error instanceof FencedError) return true;
  return isPassingRefusal(error) || (error instanceof SatyapanError && error.code === ErrorCode.KEYS_UNREACHABLE);
}

function isNews(entry: ParentNews | StrayEntry): entry is ParentNews {
  return "parent" in entry;
}
