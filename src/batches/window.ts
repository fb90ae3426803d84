import { LARGEST_TICKET } from "../queues/ticket.ts";
import type { Batch } from "./batch.ts";

/** Rows that lie ready in the queue beyond those that are called: enough that no worker waits, few enough that nobody waits long. */
const LEAST = 16;
const MOST = 2_000;
/** What the queue is to hold, by what it does: far more than passes from one look of the feeder to the next; in s. */
const AHEAD_S = 0.4;

/** How many rows may be handed to a queue that holds `queued` of them, and of which `rate` end in a second. */
export function freePlaces(queued: number, rate: number): number {
  return Math.max(0, Math.min(MOST, Math.max(LEAST, Math.ceil(rate * AHEAD_S))) - queued);
}

/** What a worker takes at once keeps it busy for so long, in s: what is more urgent waits for that. And at least so many: each entry costs. */
const TICKET_S = 0.03;
const LEAST_OF_TICKET = 16;

/** How many rows may share a ticket, in a queue of which `rate` end in a second. */
export function ticketRows(rate: number): number {
  return Math.min(LARGEST_TICKET, Math.max(LEAST_OF_TICKET, Math.ceil(rate * TICKET_S)));
}

/** A rate per second that forgets what is longer ago than `overMs`: `count` more in the last `ms`. */
export function newRate(rate: number, count: number, ms: number, overMs: number): number {
  if (ms <= 0) return rate;
  const weight = 1 - Math.exp(-ms / overMs);
  return rate + weight * ((1_000 * count) / ms - rate);
}

/**
 * How many more rows of a batch may begin now, as far as it is concerned. Where only so many challenges are to be open at once, each
 * row that is in the air may have one.
 */
export function rowsToTake({ counts, openLimit, target }: Pick<Batch, "counts" | "openLimit" | "target">): number {
  if (openLimit === null || target.kind !== "flow") return counts.waiting;
  const begun = counts.queued + counts.calling + counts.awaiting_otp;
  return Math.max(0, Math.min(counts.waiting, openLimit - begun));
}
