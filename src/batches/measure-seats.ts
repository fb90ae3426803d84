import type { QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { SeatMeasures } from "../telemetry/batch-metrics.ts";
import type { Batch } from "./batch.ts";
import { repliesOf } from "../redis/replies.ts";
import { batchKey, decisionsKey } from "./keys.ts";
import { MOST_LOOKED_AT } from "./scripts/scripts.ts";
import { DECISIONS } from "./seat-store.ts";

/** Who talks to the senders of these batches, and who of them has nobody. `now`: ms. */
export async function measureSeats(
  redis: RedisClient,
  queue: QueueName,
  batches: readonly Pick<Batch, "id" | "counts">[],
  now: number,
): Promise<SeatMeasures> {
  const [counted, seats] = await Promise.all([
    redis.hgetall(decisionsKey(queue)),
    Promise.all(
      batches
        .filter(({ counts }) => counts.awaiting_otp > 0)
        .map(async ({ id }) => await seatsOf(redis, batchKey(queue, id), now)),
    ),
  ]);
  const deadlines = seats.flatMap(({ firstDeadline }) => (firstDeadline === null ? [] : [firstDeadline]));
  return {
    taken: seats.reduce((sum, { taken }) => sum + taken, 0),
    unattended: seats.reduce((sum, { unattended }) => sum + unattended, 0),
    firstLeft: deadlines.length === 0 ? null : Math.max(0, Math.min(...deadlines) - now) / 1_000,
    decisions: Object.fromEntries(DECISIONS.map((decision) => [decision, Number(counted[decision] ?? 0)])),
  };
}

interface Seats {
  readonly taken: number;
  readonly unattended: number;
  /** Of the code that is due first of those whose senders nobody has, ms. */
  readonly firstDeadline: number | null;
}

/**
 * Operators are handed those whose codes are due first, so that all seats are among these. Read at one moment: a row that ended between
 * two reads would be a sender whom nobody has.
 */
async function seatsOf(redis: RedisClient, key: string, now: number): Promise<Seats> {
  const awaited = `${key}:awaited`;
  const look = redis
    .multi()
    .zcard(awaited)
    .zrange(awaited, "0", String(MOST_LOOKED_AT - 1), "WITHSCORES")
    .hgetall(`${key}:seats`);
  const [all, due, seats] = (await repliesOf(look)) as [number, string[], Readonly<Record<string, string>>];
  const rows = due.filter((_, nth) => nth % 2 === 0);
  const kept = rows.map((row) => isKept(seats[row], now));
  const first = kept.indexOf("");
  return {
    taken: kept.filter((by) => by === "operator").length,
    unattended: kept.filter((by) => by === "").length + all - rows.length,
    firstDeadline: first === -1 ? null : Number(due[2 * first + 1]),
  };
}

/** `later`: given back, and not to be talked to yet; '': nobody has it (`seat-next.lua`). */
function isKept(seat: string | undefined, now: number): "operator" | "later" | "" {
  const [, till = "0", keeper] = /^(\d+) (.*)$/.exec(seat ?? "") ?? [];
  if (Number(till) <= now) return "";
  return keeper === "" ? "later" : "operator";
}
