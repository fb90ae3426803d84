import { noReplyWord } from "../src/outcomes/no-reply.ts";
import type { Outcome } from "../src/outcomes/outcome.ts";
import type { Onboarding } from "../src/flows/onboarding.ts";
import type { JobState, TerminalState } from "../src/outcomes/state.ts";
import { type ParentRef, parseParent } from "../src/records/parent.ts";
import type { StoredJob } from "../src/records/stored-job.ts";
import { batchSpan, spanIdOf, type TracePlace } from "../src/records/trace-place.ts";
import type { TracedJob } from "../src/records/traces.ts";
import type { Span } from "../src/telemetry/tracing/span.ts";

// What spans are made of. Ids have no blanks, so that no two names here are one.

/** An attempt that was closed; times in ms. */
export interface EndedAttempt {
  readonly id: string;
  readonly job: StoredJob;
  readonly n: number;
  readonly clientRefId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  readonly state: JobState;
  /** Null: none was made, or nobody knows. */
  readonly call: TimedCall | null;
  /** It had been taken for lost: this is its late truth. */
  readonly isCorrection: boolean;
}

export interface TimedCall {
  readonly method: string;
  readonly seconds: number;
  /** It was signed with a time that was not the provider's, as its reply told. */
  readonly wasSignedOffTime: boolean;
}

const FAILED: ReadonlySet<string> = new Set(["unavailable", "unknown", "refused", "throttled", "failed"]);

export function attemptSpan(attempt: EndedAttempt, { traceId }: TracePlace): Span {
  const { id, job, n, clientRefId, startedAt, endedAt, outcome, state, isCorrection } = attempt;
  const { response_status_id, response_type_id, sub_code } = outcome.reply;
  const own = spanIdOf(`${id} ${n}`);
  return {
    ...{ traceId, kind: "internal", startedAt, endedAt, isFailed: FAILED.has(outcome.kind) },
    ...(isCorrection
      ? { name: "late truth", spanId: spanIdOf(`${id} ${n} truth`), parentId: own }
      : { name: "attempt", spanId: own, parentId: spanIdOf(id) }),
    attributes: {
      ...{ "satyapan.job": id, "satyapan.operation": job.operation, "satyapan.attempt": n },
      ...{ "satyapan.client_ref_id": clientRefId, "satyapan.outcome": outcome.kind, "satyapan.state": state },
      "satyapan.response_status_id": response_status_id ?? sub_code,
      "satyapan.response_type_id": response_type_id,
    },
  };
}

/** The request of an attempt, by OpenTelemetry's words for HTTP clients, but without any of its URL. */
export function callSpan(
  attempt: EndedAttempt,
  { method, seconds }: TimedCall,
  to: URL,
  { traceId }: TracePlace,
): Span {
  const { id, n, endedAt, outcome } = attempt;
  const { http_status: status } = outcome.reply;
  const noReply = "noReply" in outcome && outcome.noReply !== undefined ? noReplyWord(outcome.noReply) : null;
  const error = noReply ?? (status !== null && status >= 400 ? String(status) : null);
  return {
    ...{ traceId, spanId: spanIdOf(`${id} ${n} call`), parentId: spanIdOf(`${id} ${n}`), name: method },
    ...{ kind: "client", startedAt: endedAt - seconds * 1_000, endedAt, isFailed: error !== null },
    attributes: {
      ...{ "http.request.method": method, "http.response.status_code": status },
      ...{ "server.address": to.hostname, "server.port": to.port === "" ? null : Number(to.port), "error.type": error },
    },
  };
}

/** From when the job was accepted to its end. */
export function jobSpan(id: string, job: StoredJob, state: TerminalState, endedAt: number, traced: TracedJob): Span {
  const { root, place, parent } = traced;
  return {
    ...{ traceId: place.traceId, spanId: spanIdOf(id), name: `job ${job.operation}`, kind: "internal" },
    ...{ parentId: id === root ? place.submitterSpanId : place.rootSpanId, startedAt: job.createdAt, endedAt },
    isFailed: FAILED.has(state),
    attributes: {
      ...{
        "satyapan.job": id,
        "satyapan.operation": job.operation,
        "satyapan.lane": job.lane,
        "satyapan.state": state,
      },
      "satyapan.batch": batchOf(parent),
    },
    ...linkOf(batchOf(parent)),
  };
}

/** From when the code was sent to when this verify's was given. */
export function awaitedSpan(verify: string, { of, createdAt }: StoredJob, sentAt: number, place: TracePlace): Span {
  return {
    ...{ traceId: place.traceId, spanId: spanIdOf(`${verify} awaited`), parentId: place.rootSpanId },
    ...{ name: "code awaited", kind: "internal", startedAt: sentAt, endedAt: createdAt, isFailed: false },
    attributes: { "satyapan.send": of, "satyapan.verify": verify },
  };
}

/** From when it began to its end. */
export function onboardingSpan(
  { id, flow, lane, createdAt, parent }: Onboarding,
  state: string,
  endedAt: number,
  place: TracePlace,
): Span {
  return {
    ...{ traceId: place.traceId, spanId: place.rootSpanId, parentId: place.submitterSpanId },
    ...{ name: `onboarding ${flow}`, kind: "internal", startedAt: createdAt, endedAt, isFailed: FAILED.has(state) },
    attributes: {
      ...{ "satyapan.onboarding": id, "satyapan.flow": flow, "satyapan.lane": lane, "satyapan.state": state },
      "satyapan.batch": batchOf(parseParent(parent ?? "")),
    },
    ...linkOf(batchOf(parseParent(parent ?? ""))),
  };
}

/** A row's trace is its own, and leads to the submission of its batch. */
function linkOf(batch: string | null): Pick<Span, "link"> {
  return batch === null ? {} : { link: batchSpan(batch) };
}

function batchOf(parent: ParentRef | null): string | null {
  return parent?.kind === "b" ? parent.of : null;
}
