import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ProviderName } from "../base/provider-name.ts";
import type { OutcomeKind } from "../outcomes/outcome.ts";
import type { AuditMeasures } from "../privacy/audit/trail.ts";
import type { Lane } from "../outcomes/lane.ts";
import type { TerminalState } from "../outcomes/state.ts";

/** One finished call, in bounded labels (design §6): ids outside the known tables are `other`, no envelope is `none`. */
export interface FinishedCall {
  readonly provider: ProviderName;
  readonly operation: string;
  readonly outcome: OutcomeKind;
  readonly response_status_id: string;
  readonly response_type_id: string;
  /** Null: nothing was sent, so there is nothing to time. */
  readonly seconds: number | null;
}

/** The metrics of design §6. One instance per process; the registry is handed in. */
export class Metrics {
  readonly registry: Registry;
  readonly #calls: Counter<"provider" | "operation" | "outcome" | "response_status_id" | "response_type_id">;
  readonly #seconds: Histogram<"provider" | "operation">;
  readonly #settled: Counter<"operation" | "state" | "lane">;
  readonly #pickup: Histogram<"lane">;
  readonly #corrected: Counter<"operation" | "outcome">;
  readonly #unwritten: Gauge;
  readonly #queueJobs: Gauge<"queue" | "state">;
  readonly #oldest: Gauge<"queue">;
  readonly #overdue: Gauge<"queue">;
  readonly #quotaUsed: Gauge<"provider" | "window">;
  readonly #held: Gauge<"provider" | "reason">;
  readonly #quotaShare: Gauge<"provider">;
  readonly #inFlight: Gauge<"provider">;
  readonly #inFlightLimit: Gauge<"provider">;
  readonly #clockOffset: Gauge<"provider">;
  readonly #auditChained: Counter;
  readonly #auditBacklog: Gauge;
  readonly #auditFileAge: Gauge;
  readonly #privacy: Gauge<"place">;
  readonly #unreadable: Counter<"place">;
  /** The windows that a provider's quota had when it was measured last. */
  readonly #windows = new Map<ProviderName, readonly string[]>();
  readonly #redisLost: Counter<"queue">;
  readonly #redisClock: Gauge;
  #chained = 0;

  constructor(registry: Registry) {
    this.registry = registry;
    const registers = [registry];
    this.#calls = new Counter({
      name: "satyapan_calls_total",
      help: "Calls to providers, by how they ended.",
      labelNames: ["provider", "operation", "outcome", "response_status_id", "response_type_id"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "satyapan_call_duration_seconds",
      help: "Time from writing a request to reading its reply, in seconds.",
      labelNames: ["provider", "operation"],
      // Providers answer within 0.1–2 s, sometimes 10–30 s (facts/eko §8.2, §8.4).
      buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30],
      registers,
    });
    this.#settled = new Counter({
      name: "satyapan_jobs_settled_total",
      help: "Jobs that reached a terminal state.",
      labelNames: ["operation", "state", "lane"],
      registers,
    });
    this.#pickup = new Histogram({
      name: "satyapan_job_pickup_seconds",
      help: "Time from when a job could be tried to when a worker took it, in seconds.",
      labelNames: ["lane"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 1_800],
      registers,
    });
    this.#corrected = new Counter({
      name: "satyapan_calls_corrected_total",
      help: "Calls whose worker was taken for lost, counted as unknown, and whose true outcome came later.",
      labelNames: ["operation", "outcome"],
      registers,
    });
    this.#unwritten = new Gauge({
      name: "satyapan_closings_unwritten",
      help: "Outcomes of calls that this process keeps because Redis does not take them; no job is taken meanwhile.",
      registers,
    });
    this.#queueJobs = new Gauge({
      name: "satyapan_queue_jobs",
      help: "Jobs in a queue, by BullMQ's state; up to 15 s old.",
      labelNames: ["queue", "state"],
      registers,
    });
    this.#oldest = new Gauge({
      name: "satyapan_queue_oldest_waiting_seconds",
      help: "Age of the oldest job that could run now, in seconds; 0 with none; up to 15 s old.",
      labelNames: ["queue"],
      registers,
    });
    this.#overdue = new Gauge({
      name: "satyapan_retention_overdue_seconds",
      help: "Since when, at the longest, a job is past its deadline or a sealed value past its retention, in s; up to 15 s old.",
      labelNames: ["queue"],
      registers,
    });
    this.#quotaUsed = new Gauge({
      name: "satyapan_quota_used_ratio",
      help: "Share of a quota's window that is used, 0 to 1; up to 15 s old.",
      labelNames: ["provider", "window"],
      registers,
    });
    this.#held = new Gauge({
      name: "satyapan_provider_held",
      help: "1 while jobs of a provider are held back: refused credential or scope, open breaker, 429, queue paused in BullMQ; up to 15 s old.",
      labelNames: ["provider", "reason"],
      registers,
    });
    this.#quotaShare = new Gauge({
      name: "satyapan_quota_share_ratio",
      help: "Share of the quota's shortest window that is used since the last 429s, 0 to 1.",
      labelNames: ["provider"],
      registers,
    });
    this.#inFlight = new Gauge({
      name: "satyapan_calls_in_flight",
      help: "Calls to a provider that are under way, by all workers together.",
      labelNames: ["provider"],
      registers,
    });
    this.#inFlightLimit = new Gauge({
      name: "satyapan_calls_in_flight_limit",
      help: "Calls to a provider that may be under way at once: few while nothing is known of it, more as calls go well.",
      labelNames: ["provider"],
      registers,
    });
    this.#clockOffset = new Gauge({
      name: "satyapan_clock_offset_seconds",
      help: "A provider's clock minus ours, in seconds, as learnt from its replies; a wrong clock makes Eko refuse signatures.",
      labelNames: ["provider"],
      registers,
    });
    this.#redisLost = new Counter({
      name: "satyapan_redis_data_lost_total",
      help: "How often this process found that Redis had lost its data: quotas were brought back, jobs are gone.",
      labelNames: ["queue"],
      registers,
    });
    this.#redisClock = new Gauge({
      name: "satyapan_redis_clock_offset_seconds",
      help: "Redis' clock minus this machine's, in seconds; everything is timed by Redis'.",
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
  }

  unreadable(place: "record" | "queue" | "audit" | "parents", times = 1): void {
    this.#unreadable.inc({ place }, times);
  }

  /** What the last samples came upon in clear. */
  privacyMeasured(place: "redis" | "metrics", findings: number): void {
    this.#privacy.set({ place }, findings);
  }

  auditMeasured({ chained, backlog, fileAgeSeconds }: AuditMeasures): void {
    this.#auditChained.inc(chained - this.#chained);
    this.#chained = chained;
    this.#auditBacklog.set(backlog);
    this.#auditFileAge.set(fileAgeSeconds ?? 0);
  }

  /** How much is used of each window (`30/1m`), from 0 to 1; and of the quota since 429s. Windows that are not there are forgotten. */
  quotaMeasured(provider: ProviderName, windows: ReadonlyMap<string, number>, share: number): void {
    for (const window of this.#windows.get(provider) ?? []) {
      if (!windows.has(window)) this.#quotaUsed.remove({ provider, window });
    }
    this.#windows.set(provider, [...windows.keys()]);
    for (const [window, used] of windows) this.#quotaUsed.set({ provider, window }, used);
    this.#quotaShare.set({ provider }, share);
  }

  flightsMeasured(provider: ProviderName, inFlight: number, limit: number): void {
    this.#inFlight.set({ provider }, inFlight);
    this.#inFlightLimit.set({ provider }, limit);
  }

  /** Which reasons hold a provider's jobs back now. */
  holdsMeasured(provider: ProviderName, reasons: Readonly<Record<string, boolean>>): void {
    for (const [reason, held] of Object.entries(reasons)) this.#held.set({ provider, reason }, held ? 1 : 0);
  }

  clockMeasured(provider: ProviderName, offsetSeconds: number): void {
    this.#clockOffset.set({ provider }, offsetSeconds);
  }

  /** `times` 0: it is there from the start, so that the first loss shows as a rise. */
  redisDataLost(queue: string, times: 0 | 1): void {
    this.#redisLost.inc({ queue }, times);
  }

  redisClockMeasured(offsetSeconds: number): void {
    this.#redisClock.set(offsetSeconds);
  }

  callFinished(call: FinishedCall): void {
    const { provider, operation, outcome, response_status_id, response_type_id, seconds } = call;
    this.#calls.inc({ provider, operation, outcome, response_status_id, response_type_id });
    if (seconds !== null) this.#seconds.observe({ provider, operation }, seconds);
  }

  /** A late truth: its call was counted as `unknown` already. */
  callCorrected(operation: string, outcome: OutcomeKind): void {
    this.#corrected.inc({ operation, outcome });
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

  queueMeasured(queue: string, counts: Readonly<Record<string, number>>, oldestSeconds: number): void {
    for (const [state, count] of Object.entries(counts)) this.#queueJobs.set({ queue, state }, count);
    this.#oldest.set({ queue }, oldestSeconds);
  }

  /** 0: the reaper left nothing behind. */
  overdueMeasured(queue: string, seconds: number): void {
    this.#overdue.set({ queue }, seconds);
  }
}
