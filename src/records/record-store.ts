import type { GatePolicy } from "../limits/policy.ts";
import type { Result } from "../outcomes/outcome.ts";
import type { RedisClient } from "../queues/connection.ts";
import {
  bullmqPrefix,
  limitsPrefix,
  type QueueName,
  recordKey,
  referenceKey,
  SETTLED_CHANNEL,
} from "../queues/names.ts";
import { parseRecord } from "./parse-record.ts";
import type { JobRecord, Lane, RecordedOutcome } from "./record.ts";
import { ABANDON, BEGIN, CREATE, FINISH, PERMIT, REVIVE, SETTLE } from "./scripts.ts";
import type { JobState, TerminalState } from "./state.ts";
import type { WaitCause } from "./wait-cause.ts";

/** A job as it enters: checked at the door, its input sealed. Times in ms. */
export interface NewJob {
  readonly id: string;
  readonly operation: string;
  readonly lane: Lane;
  /** JSON of the sealed input. */
  readonly input: string;
  readonly digest: string;
  /** The `client_ref_id` every attempt must use; null: a fresh one each. */
  readonly clientRefId: string | null;
  /** Keyed hash of the person who is sent an OTP; null where nobody is. */
  readonly subject: string | null;
  /** What may be held for itself: `user_code:X`, `initiator_id:Y`, `operation:Z`; without blanks. */
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export type Creation = "created" | "duplicate" | "conflict";

/** What a worker learns when it takes a job. */
export interface TakenJob {
  readonly operation: string;
  readonly lane: Lane;
  readonly input: string;
  readonly used: number;
  readonly pendings: number;
  readonly resends: number;
  readonly expiresAt: number | null;
}

export type Beginning =
  | { readonly kind: "missing" }
  | { readonly kind: "settled"; readonly state: JobState }
  | { readonly kind: "expired"; readonly operation: string; readonly lane: Lane }
  /** It came back before its time (a worker died on the way to putting it away); times in ms. */
  | { readonly kind: "early"; readonly until: number }
  /** The gate is closed for it: nothing was opened or charged. */
  | { readonly kind: "blocked"; readonly cause: WaitCause; readonly until: number }
  /** Another worker opened attempt `n` and never closed it: its outcome is unknown. */
  | { readonly kind: "open"; readonly n: number; readonly attempt: StoredAttempt; readonly job: TakenJob }
  | {
      readonly kind: "run";
      readonly n: number;
      readonly clientRefId: string;
      /** Since when it could be tried, ms. */
      readonly dueAt: number;
      readonly permit: Permit;
      readonly job: TakenJob;
    };

/** Leave for one call, charged to every window of the quota. */
export interface Permit {
  /** What the gate knows it by. */
  readonly id: string;
  /** Little of the quota is left, so it is good for a shorter time. */
  readonly scarce: boolean;
}

/** How a call went, for the gate. Null: no call was made, or it says nothing about the provider. */
export type CallHealth =
  | { readonly kind: "well" }
  | { readonly kind: "failed" }
  | { readonly kind: "throttled"; readonly retryAfterMs: number | null }
  /** `scope` as in `NewJob.scopes`; null: the whole credential. */
  | { readonly kind: "refused"; readonly scope: string | null; readonly reason: string };

/** An OTP that was sent and can be answered. */
export interface OpenChallenge {
  readonly operation: string;
  readonly lifeMs: number;
}

/** An attempt as the journal stores it; times in ms. */
export interface StoredAttempt {
  readonly client_ref_id: string;
  readonly started: number;
  readonly ended?: number;
  readonly outcome?: RecordedOutcome;
}

/** Everything that closing an attempt changes. */
export interface Ending {
  readonly n: number;
  readonly attempt: StoredAttempt;
  readonly state: TerminalState | "waiting";
  readonly reason: string | null;
  /** When the job will be tried again, in ms; only with `waiting`. */
  readonly nextAt: number | null;
  readonly cause: WaitCause | null;
  readonly result: Result | null;
  /** Sealed personal data, or null. */
  readonly personal: string | null;
  readonly used: number;
  readonly pendings: number;
  readonly resends: number;
  readonly health: CallHealth | null;
  /** A person was sent an OTP, or may have been: it counts for his cooldown. */
  readonly sent: boolean;
  readonly challenge: OpenChallenge | null;
  /** The attempt is closed without its reply; a late reply may still correct it. */
  readonly lost: boolean;
}

/** Job records and the attempt journal in Redis, apart from the BullMQ job. Every step is one round trip. */
export class RecordStore {
  readonly #redis: RedisClient;
  readonly #retentionMs: number;

  /** `retentionMs`: how long a settled record is kept. */
  constructor(redis: RedisClient, retentionMs: number) {
    this.#redis = redis;
    this.#retentionMs = retentionMs;
  }

  /** Records new jobs of one queue, in one round trip: one answer per job, in order. */
  async create(queue: QueueName, jobs: readonly NewJob[]): Promise<Creation[]> {
    const runs = jobs.map((job) => ({ keys: [recordKey(queue, job.id)], args: creationArgs(job) }));
    return (await CREATE.runMany(this.#redis, runs)) as Creation[];
  }

  /**
   * Opens the next attempt, if the gate lets it through: after this the request may be written. `freshRef` is used unless
   * the job has its own `client_ref_id`.
   */
  async begin(queue: QueueName, id: string, freshRef: string, now: number, policy: GatePolicy): Promise<Beginning> {
    const keys = [recordKey(queue, id), referenceKey(queue, freshRef)];
    const { holdMs, callMs, cooldownMs, otpLimit, floorEvery } = policy;
    const reply = await BEGIN.run(this.#redis, keys, [
      ...[id, now, freshRef, this.#retentionMs, SETTLED_CHANNEL, limitsPrefix(queue), bullmqPrefix(queue)],
      ...[holdMs, callMs, cooldownMs, otpLimit.max, otpLimit.ms, floorEvery],
    ]);
    return parseBeginning(reply as (string | number)[]);
  }

  /**
   * A fresh permit in place of one that grew old unused (null: that was given back before), or how long to wait before
   * asking again, in ms.
   */
  async permit(queue: QueueName, old: string | null): Promise<Permit | number> {
    const prefix = limitsPrefix(queue);
    const args = [prefix, bullmqPrefix(queue), old ?? ""];
    const [waitMs, id, scarce] = (await PERMIT.run(this.#redis, [`${prefix}control`], args)) as [
      number,
      string?,
      string?,
    ];
    return id === undefined ? waitMs : { id, scarce: scarce === "scarce" };
  }

  /**
   * Closes an attempt and tells the gate how the call went. `done` comes with the time of the next attempt, as the gate
   * decided; `stale`: somebody else closed it already, with its reply.
   */
  async finish(
    queue: QueueName,
    id: string,
    now: number,
    ending: Ending,
    holdMs: number,
  ): Promise<{ readonly answer: "done" | "stale" | "missing"; readonly nextAt: number | null }> {
    const { health, challenge } = ending;
    const reply = await FINISH.run(
      this.#redis,
      [recordKey(queue, id)],
      [
        ...[id, ending.n, now, JSON.stringify(ending.attempt), ending.state, ending.reason ?? "", ending.nextAt ?? ""],
        ...[ending.cause ?? "", ending.result === null ? "" : JSON.stringify(ending.result), ending.personal ?? ""],
        ...[
          ending.used,
          ending.pendings,
          ending.resends,
          this.#retentionMs,
          SETTLED_CHANNEL,
          ending.lost ? ending.n : "",
        ],
        ...[limitsPrefix(queue), bullmqPrefix(queue), health?.kind ?? ""],
        (health?.kind === "throttled" ? health.retryAfterMs : null) ?? "",
        (health?.kind === "refused" ? health.scope : null) ?? "",
        health?.kind === "refused" ? health.reason : "",
        ...[holdMs, ending.sent ? 1 : 0, challenge?.operation ?? "", challenge?.lifeMs ?? ""],
      ],
    );
    const [answer, nextAt] = reply as ["done" | "stale" | "missing", string | undefined];
    return { answer, nextAt: nextAt === undefined || nextAt === "" ? null : Number(nextAt) };
  }

  /** Ends a job that will never be called (again). */
  async abandon(queue: QueueName, id: string, state: TerminalState, reason: string, now: number): Promise<string> {
    const args = [id, now, state, reason, this.#retentionMs, SETTLED_CHANNEL, limitsPrefix(queue)];
    return (await ABANDON.run(this.#redis, [recordKey(queue, id)], args)) as string;
  }

  /** A decision about an `unknown` job. `done`, `missing`, or the other state that it is in. */
  async settle(queue: QueueName, id: string, state: JobState, decision: string, now: number): Promise<string> {
    const args = [id, now, state, decision, this.#retentionMs, SETTLED_CHANNEL, limitsPrefix(queue)];
    return (await SETTLE.run(this.#redis, [recordKey(queue, id)], args)) as string;
  }

  /** Gives a failed job its attempts back; it has to be queued then. `done`, `missing`, or the other state it is in. */
  async revive(queue: QueueName, id: string, decision: string, now: number): Promise<string> {
    return (await REVIVE.run(this.#redis, [recordKey(queue, id)], [id, now, decision, limitsPrefix(queue)])) as string;
  }

  /** The fields of a record as they are stored, or null. */
  async fields(queue: QueueName, id: string): Promise<Record<string, string> | null> {
    const fields = await this.#redis.hgetall(recordKey(queue, id));
    return fields["state"] === undefined ? null : fields;
  }

  async get(queue: QueueName, id: string): Promise<JobRecord | null> {
    const fields = await this.fields(queue, id);
    return fields === null ? null : parseRecord(id, fields);
  }

  /** Many records of one queue in one round trip; null where there is none. */
  async getMany(queue: QueueName, ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (ids.length === 0) return [];
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hgetall(recordKey(queue, id));
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply], index) => {
      if (error !== null) throw error;
      const fields = reply as Record<string, string>;
      return fields["state"] === undefined ? null : parseRecord(ids[index] ?? "", fields);
    });
  }

  /** The input digests of those jobs that are there, null for the others, in one round trip. */
  async digests(queue: QueueName, ids: readonly string[]): Promise<(string | null)[]> {
    if (ids.length === 0) return [];
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hget(recordKey(queue, id), "digest");
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply as string | null;
    });
  }

  /** The job that made the attempt of this `client_ref_id`, or null. */
  async findByReference(queue: QueueName, clientRefId: string): Promise<string | null> {
    return await this.#redis.get(referenceKey(queue, clientRefId));
  }
}

function creationArgs(job: NewJob): (string | number)[] {
  const fields = [
    job.digest,
    ...["operation", job.operation, "lane", job.lane, "state", "queued", "input", job.input],
    ...["created", job.createdAt, "updated", job.createdAt],
  ];
  if (job.subject !== null) fields.push("subject", job.subject);
  if (job.scopes.length > 0) fields.push("scopes", job.scopes.join(" "));
  if (job.clientRefId !== null) fields.push("ref", job.clientRefId);
  if (job.expiresAt !== null) fields.push("expires", job.expiresAt);
  return fields;
}

function parseBeginning(reply: readonly (string | number)[]): Beginning {
  const [kind, n, attempt, operation, lane, input, used, pendings, resends, expires, due, scarce, permit] =
    reply.map(String);
  const job = (): TakenJob => ({
    operation: operation ?? "",
    lane: lane as Lane,
    input: input ?? "",
    used: Number(used),
    pendings: Number(pendings),
    resends: Number(resends),
    expiresAt: expires === "" ? null : Number(expires),
  });
  switch (kind) {
    case "missing":
      return { kind };
    case "settled":
      return { kind, state: n as JobState };
    case "expired":
      return { kind, operation: n ?? "", lane: attempt as Lane };
    case "early":
      return { kind, until: Number(n) };
    case "blocked":
      return { kind, cause: n as WaitCause, until: Number(attempt) };
    case "open":
      return { kind, n: Number(n), attempt: JSON.parse(attempt ?? "") as StoredAttempt, job: job() };
    case "run":
      return {
        kind,
        n: Number(n),
        clientRefId: attempt ?? "",
        dueAt: Number(due),
        permit: { id: permit ?? "", scarce: scarce === "scarce" },
        job: job(),
      };
    default:
      throw new TypeError(`the begin script answered ${kind ?? "nothing"}`);
  }
}
