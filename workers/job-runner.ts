import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/error.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import type { OpenInput, Operation } from "../src/operations/operation.ts";
import { costsAttempt, decide, type Decision } from "../src/outcomes/decision.ts";
import { NO_REPLY, type Outcome } from "../src/outcomes/outcome.ts";
import { resultScope, type Scope } from "../src/privacy/data-key.ts";
import type { DataKeys } from "../src/privacy/data-keys.ts";
import type { Sealer } from "../src/privacy/sealed-text.ts";
import { callLabels } from "../src/providers/call-labels.ts";
import { isOwnDoing } from "../src/providers/endings.ts";
import type { PreparedCall, Providers } from "../src/providers/providers.ts";
import { isPassingRefusal } from "../src/queues/redis-refusal.ts";
import type { Beginning, TakenJob } from "../src/records/beginning.ts";
import { attemptNumber, type Ending, tokenIn } from "../src/records/ending.ts";
import type { Ids } from "../src/records/ids.ts";
import type { Journal } from "../src/records/journal.ts";
import { openInput, sealPersonal } from "../src/records/sealed-input.ts";
import { retentionOf } from "../src/records/retention.ts";
import { stopsCredential } from "../src/records/wait-cause.ts";
import type { FinishedCall } from "../src/telemetry/metrics.ts";
import type { Closings } from "./closings.ts";
import { callEntry, callHealth, isSent, readReply, withMasks } from "./consequences.ts";
import { Deadlines } from "./deadlines.ts";
import { isKnownOperation, parkBroken, type Parking, shown } from "./park-broken.ts";
import { sendWithPermit, timed, type TimedPermit } from "./fresh-permit.ts";
import { OwnAttempts } from "./own-attempts.ts";

/** Where a process may be killed by the chaos harness, to prove that it may be killed anywhere. */
export type FailPoint = "begun" | "signed" | "replied" | "finished";

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

/** What the queue has to do with the job now. */
export type FollowUp =
  | { readonly kind: "done" }
  /** Put it away until then, in ms. */
  | { readonly kind: "later"; readonly until: number }
  /** The whole credential is stopped: back to the front of the queue, which opens by itself. */
  | { readonly kind: "gate" };

/** An attempt that is open in the journal. */
interface OpenAttempt {
  readonly id: string;
  /** By which the journal knows it. */
  readonly open: string;
  readonly clientRefId: string;
  readonly startedAt: number;
  readonly job: TakenJob;
  /** It tries for all: that the provider is still away costs it nothing. */
  readonly isProbe: boolean;
  /** `begun`: a byte of the request may have been written. */
  readonly writing: { begun: boolean };
}

/** What closing an attempt needs beside its outcome. */
type Closing = Pick<Ending, "used" | "pendings" | "resends" | "lost" | "health" | "entry"> & {
  readonly endedAt: number;
  /** To be counted once it is written; null where no call was made. */
  readonly call: FinishedCall | null;
  /** For its personal result; null where there is none. */
  readonly sealer: Sealer | null;
};

function notCalled({ used, pendings, resends }: TakenJob, endedAt: number): Closing {
  return { used, pendings, resends, lost: false, health: null, entry: null, call: null, sealer: null, endedAt };
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

const DONE = { kind: "done" } as const;
const GATE = { kind: "gate" } as const;

/**
 * One attempt of one job of a queue: journal, call, journal, decision (design §3). Knows nothing of BullMQ. Two round trips
 * to Redis: the first, with the gate, before a byte is written, the second after the reply.
 */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #own = new OwnAttempts();
  readonly #deadlines: Deadlines;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
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
    const token = journal.tokenOf(takenAt);
    let beginning: Beginning;
    try {
      beginning = await this.#begin(id, takenAt, ids.reference(takenAt));
    } catch (error) {
      // Redis may have taken it all the same.
      this.#own.neverWrote(token);
      throw error;
    }
    switch (beginning.kind) {
      case "missing":
        // A producer sends both in one go; over a Cluster that moves slots its record may come a moment later.
        if (takenAt - queuedAt < RECORD_LATE_MS) return { kind: "later", until: takenAt + LOOK_AGAIN_MS };
        logger.warn({ job: id }, "job without a record dropped");
        return DONE;
      case "broken": {
        const { fields, called } = beginning;
        return await parkBroken(this.#deps, id, `${fields} of its record is not what was stored`, called);
      }
      case "settled":
        return DONE;
      case "expired": {
        const { operation, lane } = beginning.job;
        metrics.jobSettled(operation, "expired", lane);
        logger.info({ job: id, operation, state: "expired" }, "job expired");
        return DONE;
      }
      case "early":
        return { kind: "later", until: beginning.until };
      case "blocked": {
        const { cause, until } = beginning;
        logger.debug({ job: id, cause, until }, "job waits");
        return stopsCredential(cause) ? GATE : { kind: "later", until };
      }
      case "open":
        if (!isKnownOperation(beginning.job.operation))
          return await parkBroken(
            this.#deps,
            id,
            `this version has no operation ${shown(beginning.job.operation)}`,
            true,
          );
        return await this.#closeLeftOpen(id, beginning, token);
      case "run": {
        atPoint?.("begun");
        const { open, clientRefId, dueAt, job, isProbe } = beginning;
        if (!isKnownOperation(job.operation)) {
          await journal.giveBack(beginning.permit.id);
          return await parkBroken(this.#deps, id, `this version has no operation ${shown(job.operation)}`, false);
        }
        metrics.jobPickedUp(job.lane, (takenAt - dueAt) / 1_000);
        const permit = timed(beginning.permit, askedAt, performance.now());
        const attempt: OpenAttempt = {
          id,
          open,
          clientRefId,
          startedAt: takenAt,
          job,
          isProbe,
          writing: { begun: false },
        };
        try {
          return await this.#attempt(attempt, permit);
        } catch (error) {
          if (!attempt.writing.begun) this.#own.neverWrote(token);
          throw error;
        }
      }
    }
  }

  /** Asked again, as the very same step, while Redis refuses it for a reason that passes: it may have been taken already. */
  async #begin(id: string, takenAt: number, freshRef: string): Promise<Beginning> {
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
    { open, attempt, job }: Extract<Beginning, { kind: "open" }>,
    token: string,
  ): Promise<FollowUp> {
    const { journal, now } = this.#deps;
    const left: OpenAttempt = {
      ...{ id, open, clientRefId: attempt.client_ref_id, startedAt: attempt.started, job, isProbe: false },
      writing: { begun: false },
    };
    const opener = tokenIn(open);
    if (opener === token || this.#own.isNeverWritten(opener)) {
      const reason = "not made: Redis could not be reached while it was begun";
      const followUp = await this.#notMade(left, reason, now());
      this.#own.forget(opener);
      return followUp;
    }
    const reason = journal.isOwn(opener) ? NOT_RECORDED : LOST;
    const unknown: Outcome = { kind: "unknown", reason, reply: NO_REPLY };
    return await this.#close(left, {}, unknown, { lost: true, sealer: null, seconds: null });
  }

  async #attempt(open: OpenAttempt, permit: TimedPermit): Promise<FollowUp> {
    const { settings, dataKeys, providers, journal, now, signal, atPoint } = this.#deps;
    const operation = findOperation(open.job.operation);
    let input: OpenInput;
    let call: PreparedCall;
    let scope: Scope;
    try {
      const opener = await dataKeys.opener([open.job.input]);
      input = openInput(opener, operation, open.id, open.job.input);
      call = providers.prepare(operation, input, open.clientRefId);
      scope = resultScope(opener.scopeOf(open.job.input), now());
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      await journal.giveBack(permit.id);
      if (error.code === ErrorCode.UNKNOWN_KEY) return await this.#leaveToOthers(open, error);
      return error.code === ErrorCode.KEYS_UNREACHABLE
        ? await this.#putOff(open, error)
        : await this.#park(open, error);
    }
    let sealer: Sealer;
    try {
      // Before the call: afterwards nothing may keep its result from being recorded.
      sealer = await dataKeys.sealer(scope);
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      await journal.giveBack(permit.id);
      if (error.code === ErrorCode.UNKNOWN_KEY) return await this.#leaveToOthers(open, error);
      // Whatever is wrong with the key for its result (retired, of a newer ring than ours): the job itself is sound.
      return await this.#putOff(open, error);
    }
    atPoint?.("signed");
    const sentAt = now();
    const { expiresAt, subject } = open.job;
    if (expiresAt !== null && sentAt >= expiresAt) {
      await journal.giveBack(permit.id);
      return await this.#notMade(open, "its deadline came before it could be sent", sentAt);
    }
    const source = { journal, id: open.id, open: open.open, subject, writing: open.writing };
    // Nor is another permit waited for past the job's deadline.
    const patienceMs = Math.min(settings.calls.timeoutMs, (expiresAt ?? Infinity) - sentAt);
    const reply = await sendWithPermit(call, permit, source, patienceMs, signal);
    atPoint?.("replied");
    const read = withMasks(readReply(operation, reply, input), input);
    const outcome = this.#deadlines.checked(read, operation.name, now());
    return await this.#close(open, input, outcome, { lost: false, sealer, seconds: (now() - sentAt) / 1_000 });
  }

  async #close(
    open: OpenAttempt,
    input: OpenInput,
    outcome: Outcome,
    { lost, sealer, seconds }: { lost: boolean; sealer: Sealer | null; seconds: number | null },
  ): Promise<FollowUp> {
    const { settings, now, random } = this.#deps;
    const { job } = open;
    const operation = findOperation(job.operation);
    const endedAt = now();
    const isFree =
      (outcome.kind === "unavailable" && (open.isProbe || isOwnDoing(outcome.reason))) ||
      (outcome.kind === "unknown" && open.isProbe && operation.afterUnknown === "repeat");
    const used = job.used + (costsAttempt(outcome.kind) && !isFree ? 1 : 0);
    const pendings = job.pendings + (outcome.kind === "pending" ? 1 : 0);
    const decision = decide(outcome, {
      ...{ used, pendings, resends: job.resends, afterUnknown: operation.afterUnknown },
      ...settings.calls,
      ...{ cooldownMs: settings.otp.cooldownMs, holdMs: settings.holdProbeMs, now: endedAt, random },
      expiresAt: job.expiresAt,
      pendingDelaysMs: settings.pendingDelaysMs,
    });
    const labels = callLabels(operation.provider, outcome);
    const call = { operation: operation.name, outcome: outcome.kind, ...labels, seconds };
    const resends = job.resends + (decision.kind === "wait" && decision.cause === "unknown" ? 1 : 0);
    const health = lost ? null : callHealth(outcome, operation, input);
    const { id, clientRefId } = open;
    const entry = callEntry(
      {
        ...{ job: id, operation: operation.name, subject: job.subject },
        ...{ attempt: attemptNumber(open.open), clientRefId, endedAt },
      },
      outcome,
      input,
    );
    const closing = { used, pendings, resends, lost, sealer, health, entry, call, endedAt };
    return await this.#record(open, operation, outcome, decision, closing);
  }

  /** This worker lacks a key that others have: it takes no more, and they get this job soon. */
  async #leaveToOthers(open: OpenAttempt, error: SatyapanError): Promise<FollowUp> {
    this.#deps.keyLacked(open.job.input, error.message);
    return await this.#putOff(open, error, Math.min(OTHERS_MS, this.#deps.settings.calls.backoffCapMs));
  }

  /** Nothing was called, and it is not this job's fault: it costs nothing, and is tried again. */
  async #putOff(
    open: OpenAttempt,
    error: SatyapanError,
    forMs = this.#deps.settings.calls.backoffCapMs,
  ): Promise<FollowUp> {
    const until = Math.min(this.#deps.now() + forMs, open.job.expiresAt ?? Number.MAX_SAFE_INTEGER);
    return await this.#notMade(open, `waits for the keys: ${error.message}`, until);
  }

  /** Not a byte of it was written: it costs nothing, and is tried again at `until`. */
  async #notMade(open: OpenAttempt, reason: string, until: number): Promise<FollowUp> {
    const operation = findOperation(open.job.operation);
    const outcome: Outcome = { kind: "unavailable", reason, reply: NO_REPLY };
    const decision: Decision = { kind: "wait", cause: "backoff", until, reason };
    return await this.#record(open, operation, outcome, decision, notCalled(open.job, this.#deps.now()));
  }

  /** The job cannot be called at all: it stops as `failed`, the person is not at fault, and nothing else stops. */
  async #park(open: OpenAttempt, error: SatyapanError): Promise<FollowUp> {
    const operation = findOperation(open.job.operation);
    const reason = `${error.code}: ${error.message}`;
    const outcome: Outcome = { kind: "refused", scope: "operation", reason, reply: NO_REPLY };
    const decision: Decision = { kind: "settle", state: "failed", reason };
    return await this.#record(open, operation, outcome, decision, notCalled(open.job, this.#deps.now()));
  }

  async #record(
    { id, open, clientRefId, startedAt, job }: OpenAttempt,
    operation: Operation,
    outcome: Outcome,
    decision: Decision,
    { endedAt, sealer, call, ...closing }: Closing,
  ): Promise<FollowUp> {
    const { closings, settings, metrics, logger, atPoint } = this.#deps;
    const { result = null, personal } = outcome.kind === "succeeded" ? outcome : {};
    const waits = decision.kind === "wait" ? decision : null;
    const state = decision.kind === "settle" ? decision.state : "waiting";
    const ending: Ending = {
      ...closing,
      open,
      attempt: {
        client_ref_id: clientRefId,
        started: startedAt,
        ended: endedAt,
        outcome: { kind: outcome.kind, ...outcome.reply },
      },
      state,
      reason: decision.reason,
      nextAt: waits?.until ?? null,
      cause: waits?.cause ?? null,
      result,
      personal: personal === undefined || sealer === null ? null : sealPersonal(sealer, operation, id, personal),
      subject: job.subject,
      sent: isSent(outcome),
      scopes: job.scopes,
      answers: state === "succeeded" ? job.of : null,
      retention: retentionOf({
        ...{ state, step: operation.step, result, hasPersonal: personal !== undefined, endedAt },
        expiresAt: job.expiresAt,
        resultRetentionMs: settings.retention.resultMs,
      }),
    };
    const { answer, nextAt, corrected } = await closings.write(id, endedAt, ending);
    atPoint?.("finished");
    const facts = { job: id, operation: operation.name, attempt: attemptNumber(open), outcome: outcome.kind };
    if (answer !== "done") {
      logger.warn({ ...facts, answer }, "attempt was closed by another worker");
      return DONE;
    }
    if (corrected) metrics.callCorrected(operation.name, outcome.kind);
    else if (call !== null) metrics.callFinished(call);
    logger.info({ ...facts, client_ref_id: clientRefId, state, reason: decision.reason }, "attempt finished");
    if (decision.kind === "wait") {
      return stopsCredential(decision.cause) ? GATE : { kind: "later", until: nextAt ?? decision.until };
    }
    if (!corrected) metrics.jobSettled(operation.name, decision.state, job.lane);
    return DONE;
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
