import type { Settings } from "../src/config/settings.ts";
import type { SatyapanError } from "../src/base/error.ts";
import { operationOfJob } from "../src/operations/catalogue.ts";
import type { Operation } from "../src/operations/operation.ts";
import type { OpenInput } from "../src/providers/call.ts";
import { decide, type Decision } from "../src/outcomes/decision.ts";
import { NO_REPLY, type Outcome } from "../src/outcomes/outcome.ts";
import type { JobState } from "../src/outcomes/state.ts";
import type { Sealer } from "../src/privacy/sealing/sealed-text.ts";
import { callLabels } from "../src/providers/call-labels.ts";
import type { TakenJob } from "../src/records/attempt-start.ts";
import { attemptNumber, type AttemptEnd } from "../src/records/attempt-end.ts";
import { retentionOf } from "../src/records/retention.ts";
import { sealPersonal } from "../src/records/sealed-input.ts";
import { stopsCredential } from "../src/outcomes/wait-cause.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { FinishedCall, Metrics } from "../src/telemetry/metrics.ts";
import { challengeEvents } from "./challenge-events.ts";
import type { Closings } from "./closings.ts";
import { callEntry, callHealth, isCharged, isSent } from "./consequences.ts";
import { DONE, type FollowUp } from "../src/queues/follow-up.ts";
import type { FailPoint, OpenAttempt } from "./open-attempt.ts";
import type { TimedCall } from "./spans.ts";

/** What closing an attempt needs beside its outcome. */
type Closing = Pick<AttemptEnd, "used" | "pendings" | "resends" | "lost" | "health" | "entry"> & {
  readonly endedAt: number;
  /** To be counted once it is written; null where no call was made. */
  readonly call: FinishedCall | null;
  /** The sealer of its personal result; null where there is none. */
  readonly sealer: Sealer | null;
  readonly timed: TimedCall | null;
};

function notCalled({ used, pendings, resends }: TakenJob, endedAt: number): Closing {
  return {
    used,
    pendings,
    resends,
    lost: false,
    health: null,
    entry: null,
    call: null,
    timed: null,
    sealer: null,
    endedAt,
  };
}

/** When a job is looked at again whose attempt somebody else had closed, in ms. */
const LOOK_AGAIN_MS = 1_000;

export interface AttemptCloserDeps {
  readonly closings: Pick<Closings, "write">;
  readonly settings: Pick<Settings, "calls" | "otp" | "holdProbeMs" | "retention">;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly atPoint?: ((point: FailPoint) => void) | undefined;
}

/** Closes attempts: what follows an outcome is decided, written into the journal, then counted and logged. */
export class AttemptCloser {
  readonly #deps: AttemptCloserDeps;

  constructor(deps: AttemptCloserDeps) {
    this.#deps = deps;
  }

  /** Closes one whose call was made, or may have been (`lost`): then nothing is known of it (null). */
  async close(
    attempt: OpenAttempt,
    input: OpenInput,
    outcome: Outcome,
    { lost, sealer, call: timed }: { lost: boolean; sealer: Sealer | null; call: TimedCall | null },
  ): Promise<FollowUp> {
    const { settings, now, random } = this.#deps;
    const { job } = attempt;
    const operation = operationOfJob(job.operation);
    const endedAt = now();
    const used = job.used + (isCharged(outcome, attempt.isProbe, operation) ? 1 : 0);
    const pendings = job.pendings + (outcome.kind === "pending" ? 1 : 0);
    const { attempts, backoffBaseMs, backoffCapMs, pendingDelaysMs } = settings.calls;
    const decision = decide(outcome, {
      used,
      pendings,
      resends: job.resends,
      afterUnknown: operation.afterUnknown,
      attempts,
      backoffBaseMs,
      backoffCapMs,
      pendingDelaysMs,
      cooldownMs: settings.otp.cooldownMs,
      holdMs: settings.holdProbeMs,
      now: endedAt,
      random,
      expiresAt: job.expiresAt,
    });
    const labels = callLabels(operation.provider, outcome);
    const call = { operation: operation.name, outcome: outcome.kind, ...labels, seconds: timed?.seconds ?? null };
    const resends = job.resends + (decision.kind === "wait" && decision.cause === "unknown" ? 1 : 0);
    const health = lost ? null : callHealth(outcome, operation, input, timed?.wasSignedOffTime === true);
    const { id, clientRefId, trace } = attempt;
    const traceId = trace === null ? null : await trace.id();
    const entry = callEntry(
      {
        job: id,
        operation: operation.name,
        subject: job.subject,
        attempt: attemptNumber(attempt.attemptToken),
        clientRefId,
        endedAt,
        traceId,
      },
      outcome,
      input,
    );
    const closing = { used, pendings, resends, lost, sealer, health, entry, call, timed, endedAt };
    return await this.#write(attempt, operation, outcome, decision, closing);
  }

  /** Closes one of which not a byte was written: it costs nothing, and its job is tried again at `until`, ms. */
  async notMade(attempt: OpenAttempt, reason: string, until: number): Promise<FollowUp> {
    const operation = operationOfJob(attempt.job.operation);
    const outcome: Outcome = { kind: "unavailable", reason, reply: NO_REPLY };
    const decision: Decision = { kind: "wait", cause: "backoff", until, reason };
    return await this.#write(attempt, operation, outcome, decision, notCalled(attempt.job, this.#deps.now()));
  }

  /** The job cannot be called at all: it stops as `failed`, the person is not at fault, and nothing else stops. */
  async park(attempt: OpenAttempt, error: SatyapanError): Promise<FollowUp> {
    const operation = operationOfJob(attempt.job.operation);
    const reason = `${error.code}: ${error.message}`;
    const outcome: Outcome = { kind: "refused", scope: "operation", reason, reply: NO_REPLY };
    const decision: Decision = { kind: "settle", state: "failed", reason };
    return await this.#write(attempt, operation, outcome, decision, notCalled(attempt.job, this.#deps.now()));
  }

  async #write(
    { id, attemptToken, clientRefId, startedAt, job, trace }: OpenAttempt,
    operation: Operation,
    outcome: Outcome,
    decision: Decision,
    closing: Closing,
  ): Promise<FollowUp> {
    const { closings, settings, metrics, logger, now, atPoint } = this.#deps;
    const { endedAt, sealer, call, timed } = closing;
    const result = outcome.kind === "succeeded" ? outcome.result : null;
    const personal = outcome.kind === "succeeded" ? outcome.personal : undefined;
    const waits = decision.kind === "wait" ? decision : null;
    const state: JobState = decision.kind === "settle" ? decision.state : "waiting";
    const end: AttemptEnd = {
      used: closing.used,
      pendings: closing.pendings,
      resends: closing.resends,
      lost: closing.lost,
      health: closing.health,
      entry: closing.entry,
      attemptToken,
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
      job,
      sent: isSent(outcome),
      answers: state === "succeeded" ? job.of : null,
      retention: retentionOf({
        state,
        step: operation.step,
        result,
        hasPersonal: personal !== undefined,
        endedAt,
        expiresAt: job.expiresAt,
        resultRetentionMs: settings.retention.resultMs,
      }),
    };
    const { answer, nextAt, corrected } = await closings.write(id, endedAt, end);
    const traceId = trace === null ? null : await trace.id();
    atPoint?.("finished");
    const n = attemptNumber(attemptToken);
    const facts = { job: id, operation: operation.name, attempt: n, outcome: outcome.kind };
    if (answer !== "done") {
      logger.rarely.warn({ ...facts, answer }, "attempt was closed by another worker");
      // Its record says what has still to be done for it: gone with this entry, nobody would look.
      return answer === "stale" ? { kind: "later", until: now() + LOOK_AGAIN_MS } : DONE;
    }
    if (corrected) metrics.callCorrected(operation.name, outcome.kind);
    else if (call !== null) metrics.callFinished(call, traceId === null ? null : { traceId, at: endedAt });
    const told = challengeEvents(operation, { id, state, reason: decision.reason, result });
    for (const event of told?.events ?? []) metrics.persons.challenge(told?.send ?? "", event);
    const line = { ...facts, client_ref_id: clientRefId, state, reason: decision.reason };
    if (trace === null) logger.info(line, "attempt finished");
    else {
      logger.info({ ...line, ...(traceId === null ? {} : { trace_id: traceId }) }, "attempt finished");
      const ended = { id, job, n, clientRefId, startedAt, endedAt, outcome, state };
      trace.ended({ ...ended, call: timed, isCorrection: corrected });
    }
    if (decision.kind === "wait") {
      // After a late truth its entry in the queue may be gone with who took it for lost: putting it away makes another.
      const stays = stopsCredential(decision.cause) && !corrected;
      return { kind: stays ? "gate" : "later", until: nextAt ?? decision.until };
    }
    if (!corrected) metrics.jobSettled(operation.name, decision.state, job.lane);
    return DONE;
  }
}
