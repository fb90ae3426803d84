import { randomBytes } from "node:crypto";
import { type Monotonic, steadyClock } from "../base/sleepless-clock.ts";
import { controlKey } from "../limits/control.ts";
import type { GateMemory } from "../limits/gate-memory.ts";
import { SHORT_VALUE } from "../redis/short-value.ts";
import type { GatePolicy } from "../limits/policy.ts";
import { type RedisClient, RESENT_MS } from "../redis/connection.ts";
import { bullmqPrefix, queuePrefix, type QueueName, recordKey, SETTLED_CHANNEL } from "../queues/names.ts";
import { SharedRoundTrip } from "../redis/round-trip.ts";
import {
  type AttemptStart,
  type BegunFetch,
  type FetchedStart,
  parseAttemptStart,
  type Permit,
} from "./attempt-start.ts";
import { type Closed, type AttemptEnd, attemptNumber, endRow, parseClosed } from "./attempt-end.ts";
import { unpackRecord } from "./packed-record.ts";
import { type PackedEnd, packedEnd } from "./packed-end.ts";
import { ALSO_BEGUN, BEGIN, BEGIN_FETCHED, FORGOTTEN, GIVE_BACK, NOT_OPEN, PERMIT } from "./scripts/begin.ts";
import { FINISH, FINISH_PACKED } from "./scripts/finish.ts";

export interface JournalOptions {
  readonly redis: RedisClient;
  readonly queue: QueueName;
  /** How long a settled record is kept, in ms. */
  readonly retentionMs: number;
  readonly policy: GatePolicy;
  /** The longest value of a short hash, bytes (`shortValue`). Default 64, as Redis'. */
  readonly shortValue?: number;
  /** Whether records at rest are archived. Default false. */
  readonly archives?: boolean;
  /** What this process knows of the gate. Without it nothing that Redis lost is brought back. */
  readonly memory?: GateMemory;
  /** By which permits grow old. Default `performance.now`, which stands still while the machine sleeps. */
  readonly monotonic?: Monotonic;
}

/** The wait before Redis is asked again that has forgotten its gate, in ms. */
const FORGOTTEN_MS = 250;

interface BeginAsk {
  readonly id: string;
  readonly now: number;
  readonly freshRef: string;
  readonly ticket: string | null;
}

interface FinishAsk {
  readonly id: string;
  readonly now: number;
  readonly end: AttemptEnd;
}

type Reply = readonly string[];

interface Begun {
  readonly reply: Reply;
  /** When it was sent, on the monotonic clock: it may have waited for others. */
  readonly askedAt: number;
}

/**
 * The journal of one queue's attempts, and the gate in front of them (design §3): one round trip before a call and one after
 * it, which the jobs of the same moment share.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #monotonic: Monotonic;
  /** Tells this process' attempts from those of all others. */
  readonly #stamp = newStamp();
  /** Of those that are opened with the fetch of their job, each at a time of its own: nobody but their answer knows whose they are. */
  readonly #fetchStamp = newStamp();
  readonly #starts = new SharedRoundTrip<BeginAsk, Begun>(async (asks) => await this.#begin(asks));
  readonly #ends = new SharedRoundTrip<FinishAsk, Reply>(async (asks) => await this.#finish(asks));
  readonly #packedEnds = new SharedRoundTrip<PackedEnd, Reply>(async (rows) => await this.#finishPacked(rows));

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? steadyClock;
  }

  /**
   * Opens the next attempt, if the gate lets it through: after this the request may be written. `freshRef` is used where the
   * job has no `client_ref_id` of its own; `ticket`: the one that carries the job; null, the default: its own entry does. Rejects where
   * Redis is away, and with a TypeError for a record that is broken.
   */
  async begin(id: string, freshRef: string, now: number, ticket: string | null = null): Promise<AttemptStart> {
    const { memory } = this.#options;
    for (;;) {
      await memory?.confirmed();
      const asked = memory?.doubts;
      const start = this.#startOf(await this.#starts.ask({ id, freshRef, now, ticket }), asked);
      if (start !== null) return start;
      if (memory === undefined) return { kind: "blocked", cause: "quota", until: now + FORGOTTEN_MS };
    }
  }

  /**
   * `begin` for the job that is being fetched with this token, in the same round trip as the fetch if it is asked for in the same
   * turn, on the same connection. Rejects as `begin`. No two may have the same `now`.
   */
  async beginFetched(token: string, freshRef: string, now: number): Promise<BegunFetch> {
    const { redis, memory } = this.#options;
    if (memory?.isInDoubt === true) return { brought: null, others: [] };
    const asked = memory?.doubts;
    const askedAt = this.#monotonic();
    const row = { id: token, now, fresh: freshRef, ticket: null };
    const args = this.#beginArgs(this.#fetchStamp);
    const answer = await BEGIN_FETCHED.run(redis, [this.#inHand], args, [row]);
    const [id = null, reply] = answer as readonly [] | readonly [string, Reply];
    // A fetch that was sent again has brought another job than the first time.
    const others = this.#monotonic() - askedAt < RESENT_MS ? [] : await this.#alsoBegun(id, freshRef, now);
    const start = reply === undefined ? null : this.#startOf({ reply, askedAt }, asked);
    return { brought: id === null || start === null ? null : { id, start }, others };
  }

  async #alsoBegun(id: string | null, freshRef: string, now: number): Promise<FetchedStart[]> {
    const { redis, queue } = this.#options;
    const args = { prefix: queuePrefix(queue), opener: this.openerAt(now, true), except: id };
    const ids = (await ALSO_BEGUN.run(redis, [this.#inHand], args)) as readonly string[];
    const asks = ids.map((other) => ({ id: other, now, freshRef, ticket: null }));
    const begun = asks.length === 0 ? [] : await this.#begin(asks, this.#fetchStamp);
    return begun.map(({ reply, askedAt }, index) => {
      return { id: ids[index] ?? "", start: parseAttemptStart(reply, askedAt) };
    });
  }

  /** The second half of the token of an attempt that this process opens at `now`; `asFetched`: by `beginFetched`. */
  openerAt(now: number, asFetched = false): string {
    return `${asFetched ? this.#fetchStamp : this.#stamp}${now}`;
  }

  /** Whether this process opened that attempt; `opener`: of `openerOf`. */
  isOwn(opener: string): boolean {
    return opener.startsWith(this.#stamp) || opener.startsWith(this.#fetchStamp);
  }

  /**
   * A fresh permit for job `id` in place of one that grew old unused (null: that was given back before), or how long to
   * wait before asking again, in ms; null where the attempt is not open any more (this process was taken for dead), so that
   * nothing may be written for it. `subject`: the person it sends an OTP to, whose cooldown begins later by as much.
   */
  async permit(
    old: string | null,
    id: string,
    attemptToken: string,
    subject: string | null,
  ): Promise<Permit | number | null> {
    const { redis, queue, policy, memory } = this.#options;
    await memory?.confirmed();
    const asked = memory?.doubts;
    const askedAt = this.#monotonic();
    const job = { old, id, subject, open: attemptToken };
    const args = { ...this.#prefixes(), ...job, call_ms: policy.callMs, epoch: memory?.epoch ?? "" };
    const keys = [controlKey(queue), recordKey(queue, id)];
    const reply = (await PERMIT.run(redis, keys, args)) as readonly [number, ...string[]];
    const [wait, permit, scarce, waitMs] = reply;
    if (wait === FORGOTTEN) memory?.doubt();
    else if (old !== null) memory?.forget(old);
    if (wait === NOT_OPEN) return null;
    if (permit === undefined) return wait === FORGOTTEN ? FORGOTTEN_MS : wait;
    memory?.note(permit);
    const given = { id: permit, scarce: scarce === "scarce", waitMs: Number(waitMs), askedAt };
    return memory?.doubts === asked ? given : { ...given, isVoid: true };
  }

  /** Nothing is called with this permit of job `id`'s attempt: the quota has room for another. */
  async giveBack(permit: string, id: string, attemptToken: string): Promise<void> {
    const { redis, queue, memory } = this.#options;
    await GIVE_BACK.run(redis, [controlKey(queue)], { ...this.#prefixes(), permit, id, open: attemptToken });
    memory?.forget(permit);
  }

  /** Closes an attempt and tells the gate how the call went. Rejects as `begin`. */
  async finish(id: string, now: number, end: AttemptEnd): Promise<Closed> {
    const { shortValue, archives } = this.#options;
    const packed = packedEnd(id, now, end, shortValue ?? SHORT_VALUE, archives);
    if (packed !== null) {
      const reply = await this.#packedEnds.ask(packed);
      if (reply[0] !== "plain") return parseClosed(reply);
    }
    const closed = parseClosed(await this.#ends.ask({ id, now, end }));
    if (closed.answer !== "stale" || !(await this.#wasWritten(id, end))) return closed;
    const corrected = await this.#options.redis.get(`${queuePrefix(this.#options.queue)}corrected:${id}`);
    return { answer: "done", nextAt: null, corrected: corrected === end.attemptToken };
  }

  /** Whether that very end, whose answer was cut off, is in a record that the reaper has packed since: FINISH cannot read it. */
  async #wasWritten(id: string, end: AttemptEnd): Promise<boolean> {
    const { redis, queue } = this.#options;
    const fields = unpackRecord(id, await redis.hgetall(recordKey(queue, id)));
    const written = fields[`attempt:${attemptNumber(end.attemptToken)}`];
    return fields["state"] === end.state && written === JSON.stringify(end.attempt);
  }

  /** `asked`: how often the gate had been in doubt when it was asked for. Null: Redis has forgotten the gate. */
  #startOf({ reply, askedAt }: Begun, asked: number | undefined): AttemptStart | null {
    const { memory } = this.#options;
    if (reply[0] === "forgotten") {
      memory?.doubt();
      return null;
    }
    const start = parseAttemptStart(reply, askedAt);
    if (start.kind !== "run") return start;
    memory?.note(start.permit.id);
    if (memory?.doubts === asked) return start;
    return { ...start, permit: { ...start.permit, isVoid: true } };
  }

  async #begin(asks: readonly BeginAsk[], stamp = this.#stamp): Promise<readonly Begun[]> {
    const { redis } = this.#options;
    const rows = asks.map(({ id, now, freshRef, ticket }) => ({ id, now, fresh: freshRef, ticket }));
    const askedAt = this.#monotonic();
    const replies = (await BEGIN.run(redis, this.#keys(asks), this.#beginArgs(stamp), rows)) as readonly Reply[];
    return replies.map((reply) => ({ reply, askedAt }));
  }

  #beginArgs(stamp: string) {
    const { policy, memory } = this.#options;
    const { holdMs, callMs, cooldownMs, otpLimit, floorEvery } = policy;
    return {
      ...{ ...this.#args(), hold_ms: holdMs, call_ms: callMs, cooldown_ms: cooldownMs, otp_max: otpLimit.max },
      ...{ otp_span: otpLimit.ms, floor_every: floorEvery, stamp, epoch: memory?.epoch ?? "" },
    };
  }

  async #finish(asks: readonly FinishAsk[]): Promise<readonly Reply[]> {
    const args = { ...this.#args(), hold_ms: this.#options.policy.holdMs };
    const rows = asks.map(({ id, now, end }) => endRow(id, now, end));
    return (await FINISH.run(this.#options.redis, this.#keys(asks), args, rows)) as readonly Reply[];
  }

  async #finishPacked(rows: readonly PackedEnd[]): Promise<readonly Reply[]> {
    return (await FINISH_PACKED.run(this.#options.redis, this.#keys(rows), this.#args(), rows)) as readonly Reply[];
  }

  /** The list of the entries that workers have in hand, newest first. */
  get #inHand(): string {
    return `${bullmqPrefix(this.#options.queue)}active`;
  }

  #keys(asks: readonly { readonly id: string }[]): string[] {
    return asks.map(({ id }) => recordKey(this.#options.queue, id));
  }

  #args() {
    const { retentionMs } = this.#options;
    return { ...this.#prefixes(), channel: SETTLED_CHANNEL, retention: retentionMs };
  }

  #prefixes() {
    const { queue } = this.#options;
    return { prefix: queuePrefix(queue), bull: bullmqPrefix(queue) };
  }
}

function newStamp(): string {
  return randomBytes(6).toString("base64url");
}
