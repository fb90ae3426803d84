import { setTimeout as sleep } from "node:timers/promises";
import { LOOSE_MARGIN_MS, QUOTA_MARGIN_MS } from "../src/limits/gate/margins.ts";
import { TOO_LATE } from "../src/providers/exchange.ts";
import type { HttpReply } from "../src/providers/http.ts";
import type { PreparedCall } from "../src/providers/providers.ts";
import type { Permit } from "../src/records/beginning.ts";
import type { Journal } from "../src/records/journal.ts";

/** What of a permit's margin is the network's, in ms; the rest is ours. */
const NETWORK_MS = 8;

/** A permit with its beginning and end, on the clock of `performance.now()`. */
export interface TimedPermit {
  readonly id: string;
  readonly from: number;
  readonly until: number;
}

/**
 * `askedAt`: before it was asked for, `gotAt`: when it had come. Redis' clock, by which it is good, stood somewhere between:
 * it begins by the later and ends by the earlier.
 */
export function timed({ id, scarce, waitMs }: Permit, askedAt: number, gotAt: number): TimedPermit {
  const margin = scarce ? QUOTA_MARGIN_MS : LOOSE_MARGIN_MS;
  return { id, from: waitMs === 0 ? gotAt : gotAt + waitMs, until: askedAt + waitMs + margin - NETWORK_MS };
}

/**
 * Sends while its permit is good. One that grew old before the first byte could be written (a new connection, a busy
 * process) is given back for another: the provider might count the call into another window than we did.
 * The last reply where no other permit is to be had within `patienceMs`, or `signal` is aborted.
 */
export async function sendWithPermit(
  call: PreparedCall,
  first: TimedPermit,
  journal: Journal,
  patienceMs: number,
  signal: AbortSignal,
): Promise<HttpReply> {
  let permit: TimedPermit | null = first;
  for (;;) {
    await until(permit.from, signal);
    const reply = await call.send(permit.until);
    if (!(reply.kind === "none" && reply.reason === TOO_LATE)) return reply;
    permit = await anotherPermit(journal, permit.id, patienceMs, signal);
    if (permit === null) return reply;
  }
}

async function anotherPermit(
  journal: Journal,
  old: string,
  patienceMs: number,
  signal: AbortSignal,
): Promise<TimedPermit | null> {
  let toGiveBack: string | null = old;
  for (;;) {
    const askedAt = performance.now();
    const permit = await journal.permit(toGiveBack);
    if (typeof permit !== "number") return timed(permit, askedAt, performance.now());
    toGiveBack = null;
    if (signal.aborted || permit > patienceMs) return null;
    await sleep(permit, undefined, { signal }).catch(() => {});
  }
}

/** A timer may fire a little before its time. */
async function until(at: number, signal: AbortSignal): Promise<void> {
  for (let left = at - performance.now(); left > 0 && !signal.aborted; left = at - performance.now()) {
    await sleep(Math.ceil(left), undefined, { signal }).catch(() => {});
  }
}
