import type { Counter, Gauge, Registry } from "prom-client";
import type { ProviderName } from "../base/provider-name.ts";
import type { QueueMeasures } from "../records/measure-queue.ts";
import { ALIKE, MeasuredGauges } from "./measured-gauges.ts";

/** The gauges of queues and gates: measured by one worker for all, shown by each. */
export class QueueMetrics {
  readonly #gauges: MeasuredGauges;
  readonly #jobs: Gauge<"queue" | "state">;
  readonly #waiting: Gauge<"queue" | "cause">;
  readonly #oldest: Gauge<"queue">;
  readonly #overdue: Gauge<"queue">;
  readonly #used: Gauge<"provider" | "window">;
  readonly #limit: Gauge<"provider" | "window">;
  readonly #remaining: Gauge<"provider" | "window">;
  readonly #share: Gauge<"provider">;
  readonly #held: Gauge<"provider" | "reason">;
  readonly #paused: Gauge<"provider">;
  readonly #breaker: Gauge<"provider">;
  readonly #inFlight: Gauge<"provider">;
  readonly #inFlightLimit: Gauge<"provider">;
  readonly #undecided: Gauge<"queue" | "state">;
  readonly #undecidedAge: Gauge<"queue" | "state">;
  readonly #submitted: Counter<"operation" | "lane">;

  constructor(registry: Registry) {
    const gauges = new MeasuredGauges(registry);
    const gauge = gauges.gauge.bind(gauges);
    this.#gauges = gauges;
    this.#jobs = gauge("satyapan_queue_jobs", `Jobs in a queue, by BullMQ's state; up to 15 s old; ${ALIKE}.`, [
      "queue",
      "state",
    ]);
    this.#waiting = gauge(
      "satyapan_jobs_waiting",
      `Entries of a queue that nobody works on, by why; of long queues told from a sample; ${ALIKE}.`,
      ["queue", "cause"],
    );
    this.#oldest = gauge(
      "satyapan_queue_oldest_waiting_seconds",
      `Age of the oldest job that could run now, in seconds; 0 with none; up to 15 s old; ${ALIKE}.`,
      ["queue"],
    );
    this.#overdue = gauge(
      "satyapan_retention_overdue_seconds",
      `Since when, at the longest, a job is past its deadline or a sealed value past its retention, in seconds; ${ALIKE}.`,
      ["queue"],
    );
    const window: ("provider" | "window")[] = ["provider", "window"];
    this.#used = gauge(
      "satyapan_quota_used_ratio",
      `Share of a quota's window that is used, 0 to 1; ${ALIKE}.`,
      window,
    );
    this.#limit = gauge("satyapan_quota_limit_calls", `Calls that a quota's window allows; ${ALIKE}.`, window);
    this.#remaining = gauge("satyapan_quota_remaining_calls", `Calls left in a quota's window now; ${ALIKE}.`, window);
    this.#share = gauge(
      "satyapan_quota_share_ratio",
      `Share of the quota's shortest window that is used since the last 429s, 0 to 1; ${ALIKE}.`,
      ["provider"],
    );
    this.#held = gauge(
      "satyapan_provider_held",
      `1 while jobs of a provider are held back: refused credential or scope, open breaker, 429, paused; ${ALIKE}.`,
      ["provider", "reason"],
    );
    this.#paused = gauge(
      "satyapan_provider_pause_seconds",
      `How long nobody calls a provider yet after a 429, in seconds; 0: it is called; ${ALIKE}.`,
      ["provider"],
    );
    this.#breaker = gauge(
      "satyapan_breaker_open_seconds",
      `Since when a provider counts as out of order, in seconds; 0: it does not; ${ALIKE}.`,
      ["provider"],
    );
    this.#inFlight = gauge(
      "satyapan_calls_in_flight",
      `Calls to a provider that are under way, by all workers together; ${ALIKE}.`,
      ["provider"],
    );
    this.#inFlightLimit = gauge(
      "satyapan_calls_in_flight_limit",
      `Calls to a provider that may be under way at once, more as calls go well; ${ALIKE}.`,
      ["provider"],
    );
    this.#undecided = gauge(
      "satyapan_jobs_undecided",
      `Jobs that ended as unknown (somebody has to settle them) or as failed (they may be tried again); ${ALIKE}.`,
      ["queue", "state"],
    );
    this.#undecidedAge = gauge(
      "satyapan_jobs_undecided_oldest_seconds",
      `Since when the oldest of them waits for a decision, in seconds; 0 with none; ${ALIKE}.`,
      ["queue", "state"],
    );
    this.#submitted = gauges.counter(
      "satyapan_jobs_submitted_total",
      `Jobs that were accepted, by all producers, as Redis has counted them; ${ALIKE}.`,
      ["operation", "lane"],
    );
  }

  /** Shows this and nothing else: what was not measured is not there. */
  show(all: ReadonlyMap<ProviderName, QueueMeasures>): void {
    this.#gauges.clear();
    for (const [provider, measured] of all) {
      this.#showQueue(measured);
      this.#showGate(provider, measured);
    }
  }

  #showQueue({ queue, counts, oldest, overdue, waiting, unknown, failed, submitted }: QueueMeasures): void {
    for (const [state, count] of Object.entries(counts)) this.#jobs.set({ queue, state }, count);
    for (const [cause, count] of Object.entries(waiting)) this.#waiting.set({ queue, cause }, count);
    this.#oldest.set({ queue }, oldest);
    this.#overdue.set({ queue }, overdue);
    for (const [state, undecided] of Object.entries({ unknown, failed })) {
      if (undecided === null) continue;
      this.#undecided.set({ queue, state }, undecided.count);
      this.#undecidedAge.set({ queue, state }, undecided.oldest);
    }
    for (const [what, count] of Object.entries(submitted)) {
      const [operation = "", lane = ""] = what.split(" ");
      this.#submitted.inc({ operation, lane }, count);
    }
  }

  #showGate(provider: ProviderName, measured: QueueMeasures): void {
    const { windows, share, calls, held, pausedFor, breakerFor } = measured;
    for (const { window, max, used } of windows) {
      this.#used.set({ provider, window }, max === 0 ? 1 : used / max);
      this.#limit.set({ provider, window }, max);
      this.#remaining.set({ provider, window }, Math.max(0, max - used));
    }
    this.#share.set({ provider }, share);
    for (const [reason, isHeld] of Object.entries(held)) this.#held.set({ provider, reason }, isHeld ? 1 : 0);
    this.#paused.set({ provider }, pausedFor);
    this.#breaker.set({ provider }, breakerFor);
    this.#inFlight.set({ provider }, calls.inFlight);
    this.#inFlightLimit.set({ provider }, calls.limit);
  }
}
