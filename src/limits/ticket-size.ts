import type { QueueName } from "../queues/names.ts";
import { LARGEST_TICKET } from "../queues/ticket.ts";
import type { RedisClient } from "../redis/connection.ts";
import { controlKey, unpackQuota } from "./control.ts";
import type { Quota } from "./quota.ts";

/** A ticket is never larger than what the gate lets pass in this time, in ms: it holds up nobody for longer. */
const PASSED_MS = 250;
/** How long a quota that was read is reckoned with, in ms. */
const READ_AGAIN_MS = 5_000;

/** How many jobs one ticket may carry, 1 to `LARGEST_TICKET`, by the window that lets least through. */
export function ticketSize(quota: Quota): number {
  if (quota.length === 0) return 1;
  const perMs = Math.min(...quota.map(({ max, ms }) => max / ms));
  return Math.min(LARGEST_TICKET, Math.max(1, Math.floor(perMs * PASSED_MS)));
}

interface Known {
  readonly size: number;
  readonly readAt: number;
}

/** The size of tickets by the quotas that are in force. */
export class TicketSizes {
  readonly #redis: RedisClient;
  readonly #configured: (queue: QueueName) => Quota;
  readonly #now: () => number;
  readonly #known = new Map<QueueName, Known>();

  /** `configured`: the quota where no worker has set one yet. */
  constructor(redis: RedisClient, configured: (queue: QueueName) => Quota, now: () => number) {
    this.#redis = redis;
    this.#configured = configured;
    this.#now = now;
  }

  /** Asks Redis every few seconds. */
  async of(queue: QueueName): Promise<number> {
    const known = this.#known.get(queue);
    if (known !== undefined && Math.abs(this.#now() - known.readAt) < READ_AGAIN_MS) return known.size;
    const text = await this.#redis.hget(controlKey(queue), "quota");
    const size = ticketSize(text === null ? this.#configured(queue) : unpackQuota(text));
    this.#known.set(queue, { size, readAt: this.#now() });
    return size;
  }
}
