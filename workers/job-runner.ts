import { setTimeout as sleep } from "node:timers/promises";
import { assertNever } from "../src/base/assert-never.ts";
import { NO_REPLY, type Outcome } from "../src/outcomes/outcome.ts";
import { stopsCredential } from "../src/outcomes/wait-cause.ts";
import { operationOfJob } from "../src/operations/catalogue.ts";
import { isPassingRefusal } from "../src/redis/refusal.ts";
import { openerOf } from "../src/records/attempt-end.ts";
import type { AttemptStart, FetchedStart } from "../src/records/attempt-start.ts";
import type { Ids } from "../src/records/ids.ts";
import type { Journal } from "../src/records/journal.ts";
import { NO_RECORD } from "../src/records/no-record.ts";
import { AttemptCall, type AttemptCallDeps } from "./attempt-call.ts";
import { AttemptCloser, type AttemptCloserDeps } from "./attempt-closer.ts";
import type { Closings } from "./closings.ts";
import { DONE, type FollowUp } from "../src/queues/follow-up.ts";
import type { QueuedJob } from "../src/queues/job-options.ts";
import type { EarlyStart } from "./early-starts.ts";
import { giveBack, timed, type TimedPermit } from "./fresh-permit.ts";
import type { OpenAttempt } from "./open-attempt.ts";
import { OwnAttempts } from "./own-attempts.ts";
import type { JobTraces } from "./tracing.ts";
import { isKnownOperation, parkBroken, type Parking, shown } from "./park-broken.ts";

export interface JobRunnerDeps extends AttemptCallDeps, AttemptCloserDeps, Parking {
  readonly journal: Pick<Journal, "begin" | "openerAt" | "isOwn" | "permit" | "giveBack">;
  readonly settings: AttemptCallDeps["settings"] & AttemptCloserDeps["settings"];
  readonly closings: Pick<Closings, "write" | "allWritten" | "areAllWritten">;
  readonly ids: Ids;
  /** Aborted when nothing more is to be begun. */
  readonly stopping: AbortSignal;
  /** Null: there are none. */
  readonly traces: JobTraces | null;
  /** Puts a job into its queue, unless it has an entry of its own there. */
  readonly queueAgain: (job: QueuedJob) => Promise<void>;
}

/** How much later than its entry in the queue a record may come, and how often it is looked for; in ms. */
const RECORD_LATE_MS = 10_000;
const LOOK_AGAIN_MS = 250;
/** When a job is looked at again whose lock was lost, so that it came back while this process works on it; in ms. */
const IN_HAND_MS = 1_000;

/** Between two tries to begin an attempt that Redis refuses, in ms: doubles from the first to the last. */
const BEGIN_AGAIN_MS = 50;
const BEGIN_AGAIN_LAST_MS = 1_000;

const LOST = "the worker was lost between the request and its reply";
const NOT_RECORDED = "how the call ended could not be recorded: a fault of this worker, see its log";
const NOT_BEGUN = "not made: Redis could not be reached while it was begun";
const NOT_BROUGHT = "not made: what Redis answered to the fetch of its job was lost";

/**
 * One attempt of one job of a queue: journal, call, journal, decision (design §3). Knows nothing of BullMQ. Two round trips
 * to Redis: the first, with the gate, before a byte is written, the second after the reply.
 */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #own = new OwnAttempts();
  readonly #call: AttemptCall;
  readonly #closer: AttemptCloser;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#call = new AttemptCall(deps);
    this.#closer = new AttemptCloser(deps);
  }

  /**
   * `queuedAt`: when a producer queued it, ms; `ticket`: the one that carries it; null, the default: its own entry does; `early`: its
   * attempt, where that was asked for with it.
   */
  async run(
    id: string,
    queuedAt: number,
    ticket: string | null = null,
    early: EarlyStart | null = null,
  ): Promise<FollowUp> {
    const { closings, stopping, now } = this.#deps;
    const fetched = (await early?.start.catch(() => null)) ?? null;
    if (!this.#own.take(id)) {
      if (early !== null) await this.leave(early);
      return { kind: "later", until: now() + IN_HAND_MS };
    }
    try {
      const begun = fetched?.id === id ? fetched.start : null;
      // What could not be begun with it is begun as ever.
      if (early !== null && begun === null) await this.leave(early);
      if (begun === null) {
        if (!closings.areAllWritten) await closings.allWritten(stopping);
        if (stopping.aborted) return { kind: "gate", until: now() };
      }
      return await this.#run(id, queuedAt, ticket, begun === null ? null : early, begun);
    } finally {
      this.#own.release(id);
    }
  }

  /** Nothing of it will ever be written: what was begun is closed as not made. */
  async leave({ takenAt, start }: EarlyStart): Promise<void> {
    this.#own.neverWrote(this.#deps.journal.openerAt(takenAt, true), null);
    const fetched = await start.catch(() => null);
    if (fetched !== null) await this.#closeUnmade(fetched, takenAt);
  }

  /** The same of what the step had opened for a job that the fetch did not bring in the end. */
  async leaveOther(other: FetchedStart, takenAt: number): Promise<void> {
    this.#own.neverWrote(this.#deps.journal.openerAt(takenAt, true), other.id);
    await this.#closeUnmade(other, takenAt);
  }

  async #closeUnmade({ id, start }: FetchedStart, takenAt: number): Promise<void> {
    const { journal, queueAgain, now } = this.#deps;
    if (start.kind !== "run" || !isKnownOperation(start.job.operation)) return;
    const unmade: OpenAttempt = { ...start, id, startedAt: takenAt, writing: { begun: false }, trace: null };
    await giveBack(journal, start.permit.id, unmade);
    const { kind } = await this.#closer.notMade(unmade, NOT_BROUGHT, now());
    if (kind === "done") return;
    const { operation, lane } = start.job;
    // Whoever took it for lost meanwhile has removed its entry.
    await queueAgain({ id, lane, verify: operationOfJob(operation).step === "verify" });
  }

  async #run(
    id: string,
    queuedAt: number,
    ticket: string | null,
    early: EarlyStart | null,
    begun: AttemptStart | null,
  ): Promise<FollowUp> {
    const { journal, metrics, now, ids, logger, traces } = this.#deps;
    const takenAt = early?.takenAt ?? now();
    const opener = journal.openerAt(takenAt, early !== null);
    let start: AttemptStart;
    try {
      start = begun ?? (await this.#begin(id, takenAt, ids.reference(takenAt), ticket));
    } catch (error) {
      // Redis may have taken it all the same.
      this.#own.neverWrote(opener, id);
      throw error;
    }
    switch (start.kind) {
      case "missing":
        // A producer sends both in one go; over a Cluster that moves slots its record may come a moment later.
        if (takenAt - queuedAt < RECORD_LATE_MS) return { kind: "later", until: takenAt + LOOK_AGAIN_MS };
        logger.rarely.warn({ job: id }, "job without a record dropped");
        return DONE;
      case "no-record":
        return await parkBroken(this.#deps, id, NO_RECORD, false);
      case "broken":
        return await parkBroken(this.#deps, id, `${start.fields} of its record is not what was stored`, start.called);
      case "settled":
      case "elsewhere":
        return DONE;
      case "expired": {
        const { operation, lane } = start.job;
        traces?.jobEnded(id, start.job, start.state, takenAt);
        metrics.jobSettled(operation, start.state, lane);
        logger.info({ job: id, operation, state: start.state }, "job expired");
        return DONE;
      }
      case "early":
        return { kind: "later", until: start.until };
      case "blocked": {
        const { cause, until } = start;
        logger.debug({ job: id, cause, until }, "job waits");
        // Places are left by calls that end, at any time before.
        if (cause === "busy") return { kind: "gate", until: Math.min(until, now() + LOOK_AGAIN_MS) };
        return { kind: stopsCredential(cause) ? "gate" : "later", until };
      }
      case "behind":
        return { kind: "gate", until: start.until };
      case "open":
        if (!isKnownOperation(start.job.operation)) return await this.#parkUnknown(id, start.job.operation, true, null);
        return await this.#closeLeftOpen(id, start, opener);
      case "run": {
        const permit = timed(start.permit, this.#deps.monotonic());
        return await this.#attempt(
          { ...start, id, startedAt: takenAt, writing: { begun: false }, trace: traces?.attempt(id) ?? null },
          permit,
          start.dueAt,
        );
      }
      default:
        return assertNever(start, "start of an attempt");
    }
  }

  /** Asked again, as the very same step, while Redis refuses it for a reason that passes: it may have been taken already. */
  async #begin(id: string, takenAt: number, freshRef: string, ticket: string | null): Promise<AttemptStart> {
    const { journal, stopping } = this.#deps;
    for (let waitMs = BEGIN_AGAIN_MS; ; waitMs = Math.min(2 * waitMs, BEGIN_AGAIN_LAST_MS)) {
      try {
        return await journal.begin(id, freshRef, takenAt, ticket);
      } catch (error) {
        if (!isPassingRefusal(error) || stopping.aborted) throw error;
        await sleep(waitMs, undefined, { signal: stopping }).catch(() => {});
      }
    }
  }

  /** An attempt that was opened and never closed. If this process never wrote it, it was not made; else that is not known. */
  async #closeLeftOpen(
    id: string,
    { attemptToken, attempt, job }: Extract<AttemptStart, { kind: "open" }>,
    asker: string,
  ): Promise<FollowUp> {
    const { journal, now, traces } = this.#deps;
    const left: OpenAttempt = {
      ...{ id, attemptToken, clientRefId: attempt.client_ref_id, startedAt: attempt.started, job, isProbe: false },
      writing: { begun: false },
      trace: traces?.attempt(id) ?? null,
    };
    const opener = openerOf(attemptToken);
    if (opener === asker || this.#own.isNeverWritten(opener, id)) {
      const followUp = await this.#closer.notMade(left, NOT_BEGUN, now());
      this.#own.forget(opener, id);
      return followUp;
    }
    const reason = journal.isOwn(opener) ? NOT_RECORDED : LOST;
    const unknown: Outcome = { kind: "unknown", reason, reply: NO_REPLY };
    return await this.#closer.close(left, {}, unknown, { lost: true, sealer: null, call: null });
  }

  async #attempt(attempt: OpenAttempt, permit: TimedPermit, dueAt: number): Promise<FollowUp> {
    const { journal, metrics, atPoint } = this.#deps;
    const { id, job, startedAt } = attempt;
    atPoint?.("begun");
    if (!isKnownOperation(job.operation)) {
      await giveBack(journal, permit.id, attempt);
      return await this.#parkUnknown(id, job.operation, false, attempt.attemptToken);
    }
    metrics.jobPickedUp(job.lane, (startedAt - dueAt) / 1_000);
    try {
      return await this.#callAndClose(attempt, permit);
    } catch (error) {
      if (!attempt.writing.begun) this.#own.neverWrote(openerOf(attempt.attemptToken), id);
      throw error;
    }
  }

  async #callAndClose(attempt: OpenAttempt, permit: TimedPermit): Promise<FollowUp> {
    const made = await this.#call.make(attempt, permit);
    switch (made.kind) {
      case "called": {
        const { input, outcome, sealer, call } = made;
        return await this.#closer.close(attempt, input, outcome, { lost: false, sealer, call });
      }
      case "not-made":
        return await this.#closer.notMade(attempt, made.reason, made.until);
      case "impossible":
        return await this.#closer.park(attempt, made.error);
      default:
        return assertNever(made, "call");
    }
  }

  async #parkUnknown(id: string, operation: string, called: boolean, unmade: string | null): Promise<FollowUp> {
    return await parkBroken(this.#deps, id, `this version has no operation ${shown(operation)}`, called, unmade);
  }
}
