import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ProviderName } from "../base/provider-name.ts";
import type { OutcomeKind } from "../outcomes/outcome.ts";
import { type Lane, LANES } from "../outcomes/lane.ts";
import type { Step } from "../outcomes/policy.ts";
import { TERMINAL_STATES, type TerminalState } from "../outcomes/state.ts";
import type { AuditMeasures } from "../privacy/audit/trail.ts";
import { BatchMetrics } from "./batch-metrics.ts";
import { CallMetrics, type CallTrace, type FinishedCall } from "./call-metrics.ts";
import { HeartbeatMetrics } from "./heartbeat-metrics.ts";
import { PersonMetrics } from "./person-metrics.ts";
import { QueueMetrics } from "./queue-metrics.ts";
import { RedisMetrics } from "./redis-metrics.ts";
import { toOpenMetrics } from "./open-metrics.ts";
import { TraceMetrics } from "./trace-metrics.ts";
import { WorkerMetrics } from "./worker-metrics.ts";

export type { FinishedCall };

/** Pickups are judged from 250 ms (design §8) to half an hour (bulk jobs behind a quota). */
const PICKUP_BUCKETS = [
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30],
  ...[60, 120, 180, 240, 300, 450, 600, 900, 1_200, 1_800],
];

/** A fault of our own, by what it befell. */
export const FAULT_KINDS = ["job", "queue", "stopped", "record"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** An operation whose series begin at 0. */
export interface CountedOperation {
  readonly provider: ProviderName;
  readonly name: string;
  readonly step: Step;
}

/** The metrics of design §6. One instance per process; the registry is handed in. */
export class Metrics {
  readonly registry: Registry;
  /** What one worker measures of queues and gates for all. */
  readonly queues: QueueMetrics;
  readonly redis: RedisMetrics;
  readonly batches: BatchMetrics;
  readonly persons: PersonMetrics;
  readonly traces: TraceMetrics;
  readonly worker: WorkerMetrics;
  readonly heartbeat: HeartbeatMetrics;
  readonly #calls: CallMetrics;
  readonly #settled: Counter<"operation" | "state" | "lane">;
  readonly #pickup: Histogram<"lane">;
  readonly #unwritten: Gauge;
  readonly #clockOffset: Gauge<"provider">;
  readonly #auditChained: Counter;
  readonly #auditBacklog: Gauge;
  readonly #auditFileAge: Gauge;
  readonly #auditBroken: Counter;
  readonly #privacy: Gauge<"place">;
  readonly #unreadable: Counter<"place">;
  readonly #faults: Counter<"kind">;
  #chained = 0;

  /** `monotonic`: ms of a clock that never jumps. */
  constructor(registry: Registry, monotonic: () => number = () => performance.now()) {
    this.registry = registry;
    const registers = [registry];
    this.#calls = new CallMetrics(registry, monotonic);
    this.queues = new QueueMetrics(registry);
    this.redis = new RedisMetrics(registry);
    this.batches = new BatchMetrics(registry);
    this.persons = new PersonMetrics(registry);
    this.traces = new TraceMetrics(registry);
    this.worker = new WorkerMetrics(registry);
    this.heartbeat = new HeartbeatMetrics(registry);
    this.#settled = new Counter({
      name: "satyapan_jobs_settled_total",
      help: "Jobs that reached a terminal state.",
      labelNames: ["operation", "state", "lane"],
      registers,
    });
    this.#pickup = new Histogram({
      name: "satyapan_job_pickup_seconds",
      help: "Time from when a job could be called (due, and its gate not held, out of order or paused) to when a worker took it, in seconds; by Redis' clock.",
      labelNames: ["lane"],
      buckets: PICKUP_BUCKETS,
      registers,
    });
    this.#unwritten = new Gauge({
      name: "satyapan_closings_unwritten",
      help: "Outcomes of calls that this process keeps because Redis does not take them; no job is taken meanwhile.",
      registers,
    });
    this.#clockOffset = new Gauge({
      name: "satyapan_clock_offset_seconds",
      help: "A provider's clock minus ours, in seconds, as learnt from its replies; a wrong clock makes Eko refuse signatures.",
      labelNames: ["provider"],
      registers,
    });
    this.#privacy = new Gauge({
      name: "satyapan_privacy_findings",
      help: "Aadhaar-like numbers and secrets of ours that were come upon in clear; redis: by one worker for all, 0 at the others.",
      labelNames: ["place"],
      registers,
    });
    this.#unreadable = new Counter({
      name: "satyapan_unreadable_total",
      help: "What was read back from Redis and is not what was stored, by place; each is put aside once.",
      labelNames: ["place"],
      registers,
    });
    this.#faults = new Counter({
      name: "satyapan_faults_total",
      help: "Faults of our own: a job that threw, a queue's worker that erred or stopped, a record that could not be closed.",
      labelNames: ["kind"],
      registers,
    });
    for (const kind of FAULT_KINDS) this.#faults.inc({ kind }, 0);
    this.#auditChained = new Counter({
      name: "satyapan_audit_entries_total",
      help: "Entries that this process added to the audit log.",
      registers,
    });
    this.#auditBacklog = new Gauge({
      name: "satyapan_audit_backlog_entries",
      help: "Entries that wait to be chained into the audit log.",
      registers,
    });
    this.#auditFileAge = new Gauge({
      name: "satyapan_audit_file_age_seconds",
      help: "Time since the audit log's files were last known to be up to date, in seconds; 0 without AUDIT_DIR.",
      registers,
    });
    this.#auditBroken = new Counter({
      name: "satyapan_audit_broken_total",
      help: "How often the audit log was found not to be as it was written; said again each minute.",
      registers,
    });
  }

  /** The series that are known beforehand are there from now on, at 0, so that the first count is a rise. */
  startAtZero(operations: readonly CountedOperation[]): void {
    for (const { provider, name, step } of operations) {
      this.#calls.begin(provider, name);
      if (step === "send") this.persons.beginChallenges(name);
      for (const state of TERMINAL_STATES) {
        for (const lane of LANES) this.#settled.inc({ operation: name, state, lane }, 0);
      }
    }
    for (const lane of LANES) this.#pickup.zero({ lane });
    for (const place of ["record", "queue", "audit", "batch"] as const) this.unreadable(place, 0);
  }

  /** The text of a scrape. */
  async page(): Promise<string> {
    const text = await this.registry.metrics();
    this.#calls.shown();
    return text;
  }

  /** The same page as OpenMetrics, with the traces of calls. */
  asOpenMetrics(page: string): string {
    return toOpenMetrics(page, (metric, labels, le) => this.#calls.exemplarOf(metric, labels, le));
  }

  unreadable(place: "record" | "queue" | "audit" | "parents" | "batch", times = 1): void {
    this.#unreadable.inc({ place }, times);
  }

  fault(kind: FaultKind): void {
    this.#faults.inc({ kind });
  }

  /** What the last samples came upon in clear. */
  privacyMeasured(place: "redis" | "metrics", findings: number): void {
    this.#privacy.set({ place }, findings);
  }

  /** Null: it could not be measured, and is not shown. */
  auditMeasured(measured: AuditMeasures | null): void {
    if (measured === null) {
      this.#auditBacklog.remove({});
      this.#auditFileAge.remove({});
      return;
    }
    const { chained, backlog, fileAgeSeconds } = measured;
    this.#auditChained.inc(chained - this.#chained);
    this.#chained = chained;
    this.#auditBacklog.set(backlog);
    this.#auditFileAge.set(fileAgeSeconds ?? 0);
  }

  auditBroken(): void {
    this.#auditBroken.inc();
  }

  clockMeasured(provider: ProviderName, offsetSeconds: number): void {
    this.#clockOffset.set({ provider }, offsetSeconds);
  }

  /** `trace`: the one that is kept of it. */
  callFinished(call: FinishedCall, trace: CallTrace | null = null): void {
    this.#calls.finished(call, trace);
  }

  /** A late truth: its call was counted as `unknown` already. */
  callCorrected(operation: string, outcome: OutcomeKind): void {
    this.#calls.corrected(operation, outcome);
  }

  closingsUnwritten(count: number): void {
    this.#unwritten.set(count);
  }

  jobSettled(operation: string, state: TerminalState, lane: Lane): void {
    this.#settled.inc({ operation, state, lane });
  }

  jobPickedUp(lane: Lane, seconds: number): void {
    this.#pickup.observe({ lane }, Math.max(0, seconds));
  }
}
