import { setTimeout as sleep } from "node:timers/promises";
import type { ProviderName } from "../src/base/provider-name.ts";
import type { Onboarding, OnboardingState } from "../src/flows/onboarding.ts";
import { isTerminal, type TerminalState } from "../src/outcomes/state.ts";
import { providerOf, type QueueName } from "../src/queues/names.ts";
import { parseRecord } from "../src/records/parse-record.ts";
import type { RecordStore } from "../src/records/record-store.ts";
import type { StoredJob } from "../src/records/stored-job.ts";
import type { TracedJob, Traces } from "../src/records/traces.ts";
import type { Span } from "../src/telemetry/tracing/span.ts";
import type { SpanQueue } from "../src/telemetry/tracing/span-queue.ts";
import { attemptSpan, awaitedSpan, callSpan, type EndedAttempt, jobSpan, onboardingSpan } from "./spans.ts";

export interface TracingDeps {
  readonly spans: Pick<SpanQueue, "offer">;
  readonly traces: Pick<Traces, "ofJobs" | "ofRoot">;
  readonly records: Pick<RecordStore, "fieldsOfMany">;
  readonly hosts: Readonly<Partial<Record<ProviderName, URL>>>;
  /** Where its record could not be read, so that nobody knows whose they are. */
  readonly onUnplaced: () => void;
}

/** The longest that an outcome waits for the trace's id, in ms: a frozen Redis must not keep it from being written down. */
const PATIENCE_MS = 250;

/** The trace of a job whose attempt is open: read while the call is under way. */
export interface AttemptTrace {
  /** Null: this trace is not kept, or the record could not be read in time. Never rejects. */
  id(): Promise<string | null>;
  ended(attempt: EndedAttempt): void;
}

/** The traces of one queue's jobs. */
export interface JobTraces {
  /** An attempt of this job was opened. */
  attempt(id: string): AttemptTrace;
  /** It ended without an attempt. */
  jobEnded(id: string, job: StoredJob, state: TerminalState, endedAt: number): void;
}

/**
 * What becomes spans of what a worker does. Only what is over is told; nothing here is waited for by a call, and what fails
 * here fails alone.
 */
export class Tracing {
  readonly #deps: TracingDeps;
  readonly #underWay = new Set<Promise<void>>();

  constructor(deps: TracingDeps) {
    this.#deps = deps;
  }

  of(queue: QueueName): JobTraces {
    return {
      attempt: (id) => this.#attempt(queue, id),
      jobEnded: (id, job, state, endedAt) =>
        this.#later(async () => {
          const traced = await this.#of(queue, id);
          return traced === null ? [] : [jobSpan(id, job, state, endedAt, traced)];
        }),
    };
  }

  #attempt(queue: QueueName, id: string): AttemptTrace {
    const traced = this.#of(queue, id);
    // Mostly known long before the reply comes: then it costs no timer.
    let known: { readonly traceId: string | null } | null = null;
    const read = traced.then((one) => (known = { traceId: one?.place.traceId ?? null }));
    return {
      id: async () =>
        (known ?? (await Promise.race([read, sleep(PATIENCE_MS, null, { ref: false })])))?.traceId ?? null,
      ended: (attempt) => this.#later(async () => await this.#attemptEnded(queue, attempt, await traced)),
    };
  }

  onboardingEnded(queue: QueueName, onboarding: Onboarding, state: OnboardingState, endedAt: number): void {
    this.#later(async () => {
      const place = await this.#deps.traces.ofRoot(queue, onboarding.id);
      return place.isSampled ? [onboardingSpan(onboarding, state, endedAt, place)] : [];
    });
  }

  /** Resolves when what is over has been told. */
  async close(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Null: not kept, or not known. Never rejects. */
  async #of(queue: QueueName, id: string): Promise<TracedJob | null> {
    try {
      const [traced = null] = await this.#deps.traces.ofJobs(queue, [id]);
      return traced?.place.isSampled === true ? traced : null;
    } catch {
      this.#deps.onUnplaced();
      return null;
    }
  }

  async #attemptEnded(queue: QueueName, attempt: EndedAttempt, traced: TracedJob | null): Promise<Span[]> {
    if (traced === null) return [];
    const { id, job, state, endedAt, call, isCorrection } = attempt;
    const { place } = traced;
    const spans = [attemptSpan(attempt, place)];
    const host = this.#deps.hosts[providerOf(queue)];
    if (call !== null && host !== undefined) spans.push(callSpan(attempt, call, host, place));
    if (!isTerminal(state) || isCorrection) return spans;
    const sentAt = job.of === null ? null : await this.#sentAt(queue, job.of);
    // A code that came early was not awaited.
    if (sentAt !== null && sentAt < job.createdAt) spans.push(awaitedSpan(id, job, sentAt, place));
    return [...spans, jobSpan(id, job, state, endedAt, traced)];
  }

  /** When the call ended that sent the code; null: not known any more. */
  async #sentAt(queue: QueueName, send: string): Promise<number | null> {
    const [fields = null] = await this.#deps.records.fieldsOfMany(queue, [send]);
    const ended = fields === null ? null : (parseRecord(send, fields).attempts.at(-1)?.ended_at ?? null);
    return ended === null ? null : Date.parse(ended);
  }

  #later(spansOf: () => Promise<Span[]>): void {
    const work = spansOf().then(
      (spans) => this.#deps.spans.offer(spans),
      () => this.#deps.onUnplaced(),
    );
    this.#underWay.add(work);
    void work.then(() => this.#underWay.delete(work));
  }
}
