import { setTimeout as sleep } from "node:timers/promises";
import type { Monotonic } from "../src/base/sleepless-clock.ts";
import { LOOSE_MARGIN_MS, QUOTA_MARGIN_MS } from "../src/limits/gate/margins.ts";
import { noReply } from "../src/providers/exchange.ts";
import type { HttpReply } from "../src/providers/http.ts";
import type { OpenAttempt } from "./open-attempt.ts";
import type { PreparedCall } from "./calls.ts";
import { isPassingRefusal } from "../src/redis/refusal.ts";
import type { Permit } from "../src/records/attempt-start.ts";
import type { Journal } from "../src/records/journal.ts";

/** The network's part of a permit's margin, in ms; the rest is ours. */
const NETWORK_MS = 8;

/** The wait before a permit that Redis refused is asked for again, in ms. */
const REFUSED_AGAIN_MS = 250;

/** A permit with its start and end, on the monotonic clock. */
export interface TimedPermit {
  readonly id: string;
  readonly askedAt: number;
  readonly from: number;
  readonly until: number;
}

/**
 * `gotAt`: when it had come. Redis' clock, by which it is good, stood somewhere between that and when it was asked for: it begins
 * by the later and ends by the earlier.
 */
export function timed({ id, scarce, waitMs, askedAt, isVoid }: Permit, gotAt: number): TimedPermit {
  if (isVoid === true) return { id, askedAt, from: gotAt, until: Number.NEGATIVE_INFINITY };
  const margin = scarce ? QUOTA_MARGIN_MS : LOOSE_MARGIN_MS;
  return { id, askedAt, from: waitMs === 0 ? gotAt : gotAt + waitMs, until: askedAt + waitMs + margin - NETWORK_MS };
}

/** Where Redis cannot take it back now it is used up: its attempt is closed all the same. */
export async function giveBack(
  journal: Pick<Journal, "giveBack">,
  permit: string,
  { id, attemptToken }: Pick<OpenAttempt, "id" | "attemptToken">,
): Promise<void> {
  try {
    await journal.giveBack(permit, id, attemptToken);
  } catch (error) {
    if (!isPassingRefusal(error)) throw error;
  }
}

/** The attempt for which permits are asked, and the journal that gives them. */
export interface PermitSource {
  readonly journal: Pick<Journal, "permit">;
  readonly id: string;
  readonly attemptToken: string;
  readonly subject: string | null;
  /** `begun`: a byte of the request may have been written. */
  readonly writing: { begun: boolean };
  /** By which permits grow old: that of the journal and of the call. */
  readonly monotonic: Monotonic;
}

/**
 * Sends while its permit is good. One that grew old before the first byte could be written (a new connection, a busy
 * process) is given back for another: the provider might count the call into another window than we did.
 * The last reply where no other permit is to be had within `patienceMs`, after which nothing is written, either. Once `signal` is
 * aborted nothing is sent any more.
 */
export async function sendWithPermit(
  call: PreparedCall,
  first: TimedPermit,
  source: PermitSource,
  patienceMs: number,
  signal: AbortSignal,
): Promise<HttpReply> {
  const { monotonic } = source;
  const giveUpAt = monotonic() + patienceMs;
  let permit: TimedPermit | null = first;
  for (;;) {
    await until(permit.from, monotonic, signal);
    if (signal.aborted) return noReply(false, { kind: "cancelled" });
    // A permit that is still good is none for a job whose deadline comes first.
    const reply = await call.send(Math.min(permit.until, giveUpAt), () => {
      source.writing.begun = true;
    });
    source.writing.begun = !(reply.kind === "none" && !reply.written);
    if (!(reply.kind === "none" && reply.cause.kind === "too late")) return reply;
    permit = await anotherPermit(source, permit.id, giveUpAt, signal);
    if (permit === null) return reply;
  }
}

async function anotherPermit(
  { journal, id, attemptToken, subject, monotonic }: PermitSource,
  old: string,
  giveUpAt: number,
  signal: AbortSignal,
): Promise<TimedPermit | null> {
  let toGiveBack: string | null = old;
  while (!signal.aborted && monotonic() < giveUpAt) {
    let permit: Permit | number | null;
    try {
      permit = await journal.permit(toGiveBack, id, attemptToken, subject);
    } catch (error) {
      if (!isPassingRefusal(error)) throw error;
      permit = REFUSED_AGAIN_MS;
    }
    if (permit === null) return null;
    if (typeof permit !== "number") return timed(permit, monotonic());
    toGiveBack = null;
    if (monotonic() + permit > giveUpAt) return null;
    await sleep(permit, undefined, { signal }).catch(() => {});
  }
  return null;
}

/** A timer may fire a little before its time. */
async function until(at: number, monotonic: Monotonic, signal: AbortSignal): Promise<void> {
  for (let left = at - monotonic(); left > 0 && !signal.aborted; left = at - monotonic()) {
    await sleep(Math.ceil(left), undefined, { signal }).catch(() => {});
  }
}
