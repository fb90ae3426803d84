import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import type { OpenInput } from "../src/providers/call.ts";
import { NO_REPLY, type Outcome } from "../src/outcomes/outcome.ts";
import { resultScope, type Scope } from "../src/privacy/sealing/data-key.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import type { Sealer } from "../src/privacy/sealing/sealed-text.ts";
import type { PreparedCall, Providers } from "./calls.ts";
import { isPassingRefusal } from "../src/redis/refusal.ts";
import type { AttemptStart } from "../src/records/attempt-start.ts";
import { openerOf } from "../src/records/attempt-end.ts";
import type { Ids } from "../src/records/ids.ts";
import type { Journal } from "../src/records/journal.ts";
import { NO_RECORD } from "../src/records/no-record.ts";
import { openInput } from "../src/records/sealed-input.ts";
import { stopsCredential } from "../src/outcomes/wait-cause.ts";
import { AttemptEnds, type OpenAttempt } from "./attempt-closer.ts";
import type { Closings } from "./closings.ts";
import { readReply, withMasks } from "./consequences.ts";
import { Deadlines } from "./deadlines.ts";
import type { FailPoint } from "./open-attempt.ts";
import { DONE, type FollowUp, GATE } from "../src/queues/follow-up.ts";
import { isKnownOperation, parkBroken, type Parking, shown } from "./park-broken.ts";
import { sendWithPermit, timed, type TimedPermit } from "./fresh-permit.ts";
import { OwnAttempts } from "./own-attempts.ts";

export interface JobRunnerDeps extends Parking {
  readonly journal: Journal;
  readonly settings: Settings;
  readonly dataKeys: DataKeys;
  readonly providers: Providers;
  readonly ids: Ids;
  readonly now: () => number;
  readonly random: () => number;
  readonly closings: Closings;
  /** Aborted when nothing more is to be begun. */
  readonly stopping: AbortSignal;
  /** Aborted when calls have to end at once. */
  readonly signal: AbortSignal;
  /** A job's sealed input came by whose key is not among this worker's; why, in a sentence. */
  readonly keyLacked: (sealed: string, why: string) => void;
  readonly atPoint?: ((point: FailPoint) => void) | undefined;
}

/** A record comes so much later than its entry in the queue, at most, and is looked for so often; ms. */
const RECORD_LATE_MS = 10_000;
const LOOK_AGAIN_MS = 250;
/** A job that this process works on already came back to it: its lock was lost. It is looked at again after this, in ms. */
const IN_HAND_MS = 1_000;

/** Between two tries to begin an attempt that Redis refuses, in ms: doubles from the first to the last. */
const BEGIN_AGAIN_MS = 50;
const BEGIN_AGAIN_LAST_MS = 1_000;

const LOST = "the worker was lost between the request and its reply";
const NOT_RECORDED = "how the call ended could not be recorded: a fault of this worker, see its log";

/** A job that this worker has no key for is tried by another one after this, in ms. */
const OTHERS_MS = 1_000;

/**
 * One attempt of one job of a queue: journal, call, journal, decision (design §3). Knows nothing of BullMQ. Two round trips
 * to Redis: the first, with the gate, before a byte is written, the second after the reply.
 */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #own = new OwnAttempts();
  readonly #deadlines: Deadlines;
  readonly #ends: AttemptEnds;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#ends = new AttemptEnds(deps);
    this.#deadlines = new Deadlines(deps.logger);
  }

  /** `queuedAt`: when a producer queued it, ms. */
  async run(id: string, queuedAt: number): Promise<FollowUp> {
    const { closings, stopping, now } = this.#deps;
    if (!this.#own.take(id)) return { kind: "later", until: now() + IN_HAND_MS };
    try {
      if (!closings.areAllWritten) await orAborted(closings.allWritten(), stopping);
      if (stopping.aborted) return GATE;
      return await this.#run(id, queuedAt);
    } finally {
      this.#own.release(id);
    }
  }

  async #run(id: string, queuedAt: number): Promise<FollowUp> {
    const { journal, metrics, now, ids, logger, atPoint } = this.#deps;
    const takenAt = now();
    const askedAt = performance.now();
    const opener = journal.openerAt(takenAt);
    let start: AttemptStart;
    try {
      start = await this.#begin(id, takenAt, ids.reference(takenAt));
    } catch (error) {
      // Redis may have taken it all the same.
      this.#own.neverWrote(opener);
      throw error;
    }
    switch (start.kind) {
      case "missing":
        // A producer sends both in one go; over a Cluster that moves slots its record may come a moment later.
        if (takenAt - queuedAt < RECORD_LATE_MS) return { kind: "later", until: takenAt + LOOK_AGAIN_MS };
        logger.warn({ job: id }, "job without a record dropped");
        return DONE;
      case "no-record":
        return await parkBroken(this.#deps, id, NO_RECORD, false);
      case "broken": {
        const { fields, called } = start;
        return await parkBroken(this.#deps, id, `${fields} of its record is not what was stored`, called);
      }
      case "settled":
        return DONE;
      case "expired": {
        const { operation, lane } = start.job;
        metrics.jobSettled(operation, "expired", lane);
        logger.info({ job: id, operation, state: "expired" }, "job expired");
        return DONE;
      }
      case "early":
        return { kind: "later", until: start.until };
      case "blocked": {
        const { cause, until } = start;
        logger.debug({ job: id, cause, until }, "job waits");
        return stopsCredential(cause) ? GATE : { kind: "later", until };
      }
      case "open":
        if (!isKnownOperation(start.job.operation))
          return await parkBroken(this.#deps, id, `this version has no operation ${shown(start.job.operation)}`, true);
        return await this.#closeLeftOpen(id, start, opener);
      case "run": {
        atPoint?.("begun");
        const { attemptToken, clientRefId, dueAt, job, isProbe } = start;
        if (!isKnownOperation(job.operation)) {
          await journal.giveBack(start.permit.id);
          return await parkBroken(this.#deps, id, `this version has no operation ${shown(job.operation)}`, false);
        }
        metrics.jobPickedUp(job.lane, (takenAt - dueAt) / 1_000);
        const permit = timed(start.permit, askedAt, performance.now());
        const attempt: OpenAttempt = {
          id,
          attemptToken,
          clientRefId,
          startedAt: takenAt,
          job,
          isProbe,
          writing: { begun: false },
        };
        try {
          return await this.#attempt(attempt, permit);
        } catch (error) {
          if (!attempt.writing.begun) this.#own.neverWrote(opener);
          throw error;
        }
      }
    }
  }

  /** Asked again, as the very same step, while Redis refuses it for a reason that passes: it may have been taken already. */
  async #begin(id: string, takenAt: number, freshRef: string): Promise<AttemptStart> {
    const { journal, stopping } = this.#deps;
    for (let waitMs = BEGIN_AGAIN_MS; ; waitMs = Math.min(2 * waitMs, BEGIN_AGAIN_LAST_MS)) {
      try {
        return await journal.begin(id, freshRef, takenAt);
      } catch (error) {
        if (!isPassingRefusal(error) || stopping.aborted) throw error;
        await sleep(waitMs, undefined, { signal: stopping }).catch(() => {});
      }
    }
  }

  /** An attempt that was opened and never closed. What this process never wrote was not made; of others that is not known. */
  async #closeLeftOpen(
    id: string,
    { attemptToken, attempt, job }: Extract<AttemptStart, { kind: "open" }>,
    asker: string,
  ): Promise<FollowUp> {
    const { journal, now } = this.#deps;
    const left: OpenAttempt = {
      ...{ id, attemptToken, clientRefId: attempt.client_ref_id, startedAt: attempt.started, job, isProbe: false },
      writing: { begun: false },
    };
    const opener = openerOf(attemptToken);
    if (opener === asker || this.#own.isNeverWritten(opener)) {
      const reason = "not made: Redis could not be reached while it was begun";
      const followUp = await this.#ends.notMade(left, reason, now());
      this.#own.forget(opener);
      return followUp;
    }
    const reason = journal.isOwn(opener) ? NOT_RECORDED : LOST;
    const unknown: Outcome = { kind: "unknown", reason, reply: NO_REPLY };
    return await this.#ends.close(left, {}, unknown, { lost: true, sealer: null, seconds: null });
  }

  async #attempt(attempt: OpenAttempt, permit: TimedPermit): Promise<FollowUp> {
    const { settings, dataKeys, providers, journal, now, signal, atPoint } = this.#deps;
    const operation = findOperation(attempt.job.operation);
    let input: OpenInput;
    let call: PreparedCall;
    let scope: Scope;
    try {
      const opener = await dataKeys.opener([attempt.job.input]);
      input = openInput(opener, operation, attempt.id, attempt.job.input);
      call = providers.prepare(operation, input, attempt.clientRefId);
      scope = resultScope(opener.scopeOf(attempt.job.input), now());
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      await journal.giveBack(permit.id);
      if (error.code === ErrorCode.UNKNOWN_KEY) return await this.#leaveToOthers(attempt, error);
      return error.code === ErrorCode.KEYS_UNREACHABLE
        ? await this.#putOff(attempt, error)
        : await this.#ends.park(attempt, error);
    }
    let sealer: Sealer;
    try {
      // Before the call: afterwards nothing may keep its result from being recorded.
      sealer = await dataKeys.sealer(scope);
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      await journal.giveBack(permit.id);
      if (error.code === ErrorCode.UNKNOWN_KEY) return await this.#leaveToOthers(attempt, error);
      // Whatever is wrong with the key for its result (retired, of a newer ring than ours): the job itself is sound.
      return await this.#putOff(attempt, error);
    }
    atPoint?.("signed");
    const sentAt = now();
    const { expiresAt, subject } = attempt.job;
    if (expiresAt !== null && sentAt >= expiresAt) {
      await journal.giveBack(permit.id);
      return await this.#ends.notMade(attempt, "its deadline came before it could be sent", sentAt);
    }
    const source = { journal, id: attempt.id, attemptToken: attempt.attemptToken, subject, writing: attempt.writing };
    // Nor is another permit waited for past the job's deadline.
    const patienceMs = Math.min(settings.calls.timeoutMs, (expiresAt ?? Infinity) - sentAt);
    const reply = await sendWithPermit(call, permit, source, patienceMs, signal);
    atPoint?.("replied");
    const read = withMasks(readReply(operation, reply, input), input);
    const outcome = this.#deadlines.checked(read, operation.name, now());
    return await this.#ends.close(attempt, input, outcome, { lost: false, sealer, seconds: (now() - sentAt) / 1_000 });
  }

  /** This worker lacks a key that others have: it takes no more, and they get this job soon. */
  async #leaveToOthers(attempt: OpenAttempt, error: SatyapanError): Promise<FollowUp> {
    this.#deps.keyLacked(attempt.job.input, error.message);
    return await this.#putOff(attempt, error, Math.min(OTHERS_MS, this.#deps.settings.calls.backoffCapMs));
  }

  /** Nothing was called, and it is not this job's fault: it costs nothing, and is tried again. */
  async #putOff(
    attempt: OpenAttempt,
    error: SatyapanError,
    forMs = this.#deps.settings.calls.backoffCapMs,
  ): Promise<FollowUp> {
    const until = Math.min(this.#deps.now() + forMs, attempt.job.expiresAt ?? Number.MAX_SAFE_INTEGER);
    return await this.#ends.notMade(attempt, `waits for the keys: ${error.message}`, until);
  }
}

/** Resolves with the work, or once the signal is aborted. */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
