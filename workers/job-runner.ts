import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "../src/config/settings.ts";
import { SatyapanError } from "../src/error.ts";
import { LOOSE_MARGIN_MS, QUOTA_MARGIN_MS } from "../src/limits/gate.ts";
import { gatePolicy, type GatePolicy } from "../src/limits/policy.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import type { OpenInput, Operation } from "../src/operations/operation.ts";
import { costsAttempt, decide, type Decision } from "../src/outcomes/decision.ts";
import { NO_REPLY, type Outcome } from "../src/outcomes/outcome.ts";
import { callLabels } from "../src/providers/call-labels.ts";
import { TOO_LATE } from "../src/providers/exchange.ts";
import type { HttpReply } from "../src/providers/http.ts";
import type { PreparedCall, Providers } from "../src/providers/providers.ts";
import type { QueueName } from "../src/queues/names.ts";
import { newId } from "../src/records/ids.ts";
import type { Beginning, Ending, Permit, RecordStore, TakenJob } from "../src/records/record-store.ts";
import { openInput, sealPersonal } from "../src/records/sealed-input.ts";
import { stopsCredential } from "../src/records/wait-cause.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { callHealth, isSent, openChallenge, withMasks } from "./consequences.ts";

/** Where a process may be killed by the chaos harness, to prove that it may be killed anywhere. */
export type FailPoint = "begun" | "signed" | "replied" | "finished";

export interface JobRunnerDeps {
  readonly records: RecordStore;
  readonly settings: Settings;
  readonly providers: Providers;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly atPoint?: ((point: FailPoint) => void) | undefined;
}

/** What the queue has to do with the job now. */
export type FollowUp =
  | { readonly kind: "done" }
  /** Put it away until then, in ms. */
  | { readonly kind: "later"; readonly until: number }
  /** The whole credential is stopped: back to the front of the queue, which opens by itself. */
  | { readonly kind: "gate" };

/** What of a permit's margin is the network's, in ms; the rest is ours. */
const NETWORK_MS = 3;

/** A permit and its end, on the clock of `performance.now()`. */
interface FreshPermit {
  readonly id: string;
  readonly ends: number;
}

/** Counted from before it was asked for: its own clock, Redis', began after that. */
function freshUntil({ id, scarce }: Permit, askedAt: number): FreshPermit {
  return { id, ends: askedAt + (scarce ? QUOTA_MARGIN_MS : LOOSE_MARGIN_MS) - NETWORK_MS };
}

/** An attempt that is open in the journal. */
interface OpenAttempt {
  readonly queue: QueueName;
  readonly id: string;
  readonly n: number;
  readonly clientRefId: string;
  readonly startedAt: number;
  readonly job: TakenJob;
}

/** What closing an attempt needs beside its outcome. */
type Closing = Pick<Ending, "used" | "pendings" | "resends" | "lost" | "health"> & { readonly endedAt: number };

/**
 * One attempt of one job: journal, call, journal, decision (design §3). Knows nothing of BullMQ. Two round trips to Redis:
 * the first, with the gate, before a byte is written, the second after the reply.
 */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #policy: GatePolicy;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#policy = gatePolicy(deps.settings);
  }

  async run(queue: QueueName, id: string, signal: AbortSignal): Promise<FollowUp> {
    const { records, metrics, now, logger, atPoint } = this.#deps;
    const takenAt = now();
    const askedAt = performance.now();
    const beginning = await records.begin(queue, id, newId(takenAt), takenAt, this.#policy);
    switch (beginning.kind) {
      case "missing":
        logger.warn({ job: id }, "job without a record dropped");
        return { kind: "done" };
      case "settled":
        return { kind: "done" };
      case "expired":
        metrics.jobSettled(beginning.operation, "expired", beginning.lane);
        logger.info({ job: id, operation: beginning.operation, state: "expired" }, "job settled");
        return { kind: "done" };
      case "early":
        return { kind: "later", until: beginning.until };
      case "blocked": {
        const { cause, until } = beginning;
        logger.debug({ job: id, cause, until }, "job waits");
        return stopsCredential(cause) ? { kind: "gate" } : { kind: "later", until };
      }
      case "open":
        return await this.#giveUpLostAttempt(queue, id, beginning);
      case "run": {
        atPoint?.("begun");
        metrics.jobPickedUp(beginning.job.lane, (takenAt - beginning.dueAt) / 1_000);
        const { n, clientRefId, permit, job } = beginning;
        const open = { queue, id, n, clientRefId, startedAt: takenAt, job };
        return await this.#attempt(open, freshUntil(permit, askedAt), signal);
      }
    }
  }

  /** The worker that opened it died, or lost its lock: whether the call happened is not known. */
  async #giveUpLostAttempt(
    queue: QueueName,
    id: string,
    { n, attempt, job }: Extract<Beginning, { kind: "open" }>,
  ): Promise<FollowUp> {
    const open = { queue, id, n, clientRefId: attempt.client_ref_id, startedAt: attempt.started, job };
    const reason = "the worker was lost between the request and its reply";
    return await this.#close(open, {}, { kind: "unknown", reason, reply: NO_REPLY }, { lost: true, seconds: null });
  }

  async #attempt(open: OpenAttempt, permit: FreshPermit, signal: AbortSignal): Promise<FollowUp> {
    const { settings, providers, now, atPoint } = this.#deps;
    const operation = findOperation(open.job.operation);
    let input: OpenInput;
    let call: PreparedCall;
    try {
      input = openInput(settings.keys, operation, open.id, open.job.input);
      call = providers.prepare(operation, input, open.clientRefId);
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      return await this.#park(open, error);
    }
    atPoint?.("signed");
    const sentAt = now();
    const reply = await this.#send(open, call, permit, signal);
    atPoint?.("replied");
    const outcome = withMasks(operation.read(reply, input), input);
    return await this.#close(open, input, outcome, { lost: false, seconds: (now() - sentAt) / 1_000 });
  }

  /**
   * Sends while the permit is fresh. One that grew old before the first byte could be written (a new connection, a busy
   * process) is given back for another: the provider might count the call into another window than we did.
   */
  async #send(open: OpenAttempt, call: PreparedCall, first: FreshPermit, signal: AbortSignal): Promise<HttpReply> {
    let permit: FreshPermit | null = first;
    for (;;) {
      const reply = await call.send(signal, permit.ends);
      if (!(reply.kind === "none" && reply.reason === TOO_LATE)) return reply;
      permit = await this.#freshPermit(open.queue, permit.id, signal);
      if (permit === null) return reply;
    }
  }

  /** Null where none is to be had while a call may take. */
  async #freshPermit(queue: QueueName, old: string, signal: AbortSignal): Promise<FreshPermit | null> {
    let toGiveBack: string | null = old;
    for (;;) {
      const askedAt = performance.now();
      const permit = await this.#deps.records.permit(queue, toGiveBack);
      if (typeof permit !== "number") return freshUntil(permit, askedAt);
      toGiveBack = null;
      if (signal.aborted || permit > this.#policy.callMs) return null;
      await sleep(permit, undefined, { signal }).catch(() => {});
    }
  }

  async #close(
    open: OpenAttempt,
    input: OpenInput,
    outcome: Outcome,
    { lost, seconds }: { lost: boolean; seconds: number | null },
  ): Promise<FollowUp> {
    const { settings, metrics, now, random } = this.#deps;
    const operation = findOperation(open.job.operation);
    const endedAt = now();
    const used = open.job.used + (costsAttempt(outcome.kind) ? 1 : 0);
    const pendings = open.job.pendings + (outcome.kind === "pending" ? 1 : 0);
    const decision = decide(outcome, {
      ...{ used, pendings, resends: open.job.resends, afterUnknown: operation.afterUnknown },
      ...settings.calls,
      ...{ cooldownMs: settings.otp.cooldownMs, holdMs: settings.holdProbeMs, now: endedAt, random },
      expiresAt: open.job.expiresAt,
      pendingDelaysMs: settings.pendingDelaysMs,
    });
    const labels = callLabels(operation.provider, outcome);
    metrics.callFinished({ operation: operation.name, outcome: outcome.kind, ...labels, seconds });
    const resends = open.job.resends + (decision.kind === "wait" && decision.cause === "unknown" ? 1 : 0);
    const health = lost ? null : callHealth(outcome, operation, input);
    return await this.#record(open, operation, outcome, decision, { used, pendings, resends, lost, health, endedAt });
  }

  /** The job cannot be called at all: it stops as `failed`, the person is not at fault, and nothing else stops. */
  async #park(open: OpenAttempt, error: SatyapanError): Promise<FollowUp> {
    const operation = findOperation(open.job.operation);
    const reason = `${error.code}: ${error.message}`;
    const outcome: Outcome = { kind: "refused", scope: "operation", reason, reply: NO_REPLY };
    const { used, pendings, resends } = open.job;
    const closing = { used, pendings, resends, lost: false, health: null, endedAt: this.#deps.now() };
    return await this.#record(open, operation, outcome, { kind: "settle", state: "failed", reason }, closing);
  }

  async #record(
    open: OpenAttempt,
    operation: Operation,
    outcome: Outcome,
    decision: Decision,
    { endedAt, ...closing }: Closing,
  ): Promise<FollowUp> {
    const { records, settings, metrics, logger, atPoint } = this.#deps;
    const { result = null, personal } = outcome.kind === "succeeded" ? outcome : {};
    const waits = decision.kind === "wait" ? decision : null;
    const ending: Ending = {
      ...closing,
      n: open.n,
      attempt: {
        client_ref_id: open.clientRefId,
        started: open.startedAt,
        ended: endedAt,
        outcome: { kind: outcome.kind, ...outcome.reply },
      },
      state: decision.kind === "settle" ? decision.state : "waiting",
      reason: decision.reason,
      nextAt: waits?.until ?? null,
      cause: waits?.cause ?? null,
      result,
      personal: personal === undefined ? null : sealPersonal(settings.keys, operation, open.id, personal),
      sent: isSent(outcome),
      challenge: openChallenge(operation, outcome, endedAt),
    };
    const { answer, nextAt } = await records.finish(open.queue, open.id, endedAt, ending, settings.holdProbeMs);
    atPoint?.("finished");
    const facts = { job: open.id, operation: operation.name, attempt: open.n, outcome: outcome.kind };
    if (answer !== "done") {
      logger.warn({ ...facts, answer }, "attempt was closed by another worker");
      return { kind: "done" };
    }
    logger.info({ ...facts, client_ref_id: open.clientRefId, reason: decision.reason }, "attempt finished");
    if (decision.kind === "wait") {
      return stopsCredential(decision.cause) ? { kind: "gate" } : { kind: "later", until: nextAt ?? decision.until };
    }
    metrics.jobSettled(operation.name, decision.state, open.job.lane);
    logger.info({ job: open.id, operation: operation.name, state: decision.state }, "job settled");
    return { kind: "done" };
  }
}
