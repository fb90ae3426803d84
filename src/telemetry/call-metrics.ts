import { Counter, Histogram, type Registry } from "prom-client";
import type { ProviderName } from "../base/provider-name.ts";
import type { HttpClass } from "../providers/call-labels.ts";
import { OUTCOME_KINDS, type OutcomeKind } from "../outcomes/outcome.ts";
import { type Exemplar, Exemplars } from "./exemplars.ts";
import { HeldBackCounter } from "./held-back.ts";

/** One finished call, in bounded labels (design §6): ids outside the known tables are `other`, no envelope is `none`. */
export interface FinishedCall {
  readonly provider: ProviderName;
  readonly operation: string;
  readonly outcome: OutcomeKind;
  readonly http_status: HttpClass;
  readonly response_status_id: string;
  readonly response_type_id: string;
  /** Null: nothing was sent, so there is nothing to time. */
  readonly seconds: number | null;
}

/** The trace of a call that is kept, and when it ended, in ms. */
export type CallTrace = Omit<Exemplar, "seconds">;

type CallLabel = Exclude<keyof FinishedCall, "seconds">;
const CALL_LABELS = [
  ...(["provider", "operation", "outcome"] as const),
  ...(["response_status_id", "response_type_id", "http_status"] as const),
];

/**
 * The most label sets of calls beside those that begin at 0. Every pair of ids may come with every outcome; what comes beyond
 * has its ids as `other`, so that whatever a provider sends, a scrape stays small.
 */
const MOST_SERIES = 500;

/** Providers answer within 0.1–2 s, sometimes 10–30 s (facts/eko §8.2, §8.4), where each step decides how to judge them. */
const CALL_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12.5, 15, 20, 25, 30];

/** How calls to providers end, and how long they take. */
export class CallMetrics {
  readonly #calls: HeldBackCounter<CallLabel>;
  readonly #seconds: Histogram<"provider" | "operation">;
  readonly #exemplars = new Exemplars(CALL_BUCKETS);
  readonly #corrected: Counter<"operation" | "outcome">;

  constructor(registry: Registry, monotonic: () => number) {
    const registers = [registry];
    const calls = new Counter<CallLabel>({
      name: "satyapan_calls_total",
      help: "Calls to providers, by how they ended. A new label set is shown as 0 once, so that its first call is a rise.",
      labelNames: CALL_LABELS,
      registers,
    });
    this.#calls = new HeldBackCounter(calls, monotonic);
    this.#seconds = new Histogram({
      name: DURATION,
      help: "Time from writing a request to reading its reply, in seconds.",
      labelNames: ["provider", "operation"],
      buckets: CALL_BUCKETS,
      registers,
    });
    this.#corrected = new Counter({
      name: "satyapan_calls_corrected_total",
      help: "Calls whose worker was taken for lost, counted as unknown, and whose true outcome came later.",
      labelNames: ["operation", "outcome"],
      registers,
    });
  }

  /** Every way in which calls of this operation may end is there from now on, at 0. */
  begin(provider: ProviderName, operation: string): void {
    for (const outcome of OUTCOME_KINDS) {
      const labels = { provider, operation, outcome, ...NO_REPLY_LABELS };
      this.#calls.begin(keyOf(labels), labels);
      this.#corrected.inc({ operation, outcome }, 0);
    }
    this.#seconds.zero({ provider, operation });
  }

  /** `trace`: the one that it is in, and when it ended in ms; null: none is kept. */
  finished({ seconds, ...call }: FinishedCall, trace: CallTrace | null): void {
    const labels = inOrder(call);
    const key = keyOf(labels);
    if (this.#calls.size < MOST_SERIES || this.#calls.has(key)) this.#calls.inc(key, labels);
    else {
      const rough = { ...labels, response_status_id: "other", response_type_id: "other" };
      this.#calls.inc(keyOf(rough), rough);
    }
    const { provider, operation } = labels;
    if (seconds === null) return;
    this.#seconds.observe({ provider, operation }, seconds);
    if (trace !== null) this.#exemplars.note(operation, { traceId: trace.traceId, at: trace.at, seconds });
  }

  /** Of a bucket of the calls' durations. */
  exemplarOf(metric: string, labels: string, le: string): Exemplar | null {
    return metric === DURATION ? this.#exemplars.of(/operation="([^"]+)"/.exec(labels)?.[1] ?? "", le) : null;
  }

  /** A late truth: its call was counted as `unknown` already. */
  corrected(operation: string, outcome: OutcomeKind): void {
    this.#corrected.inc({ operation, outcome });
  }

  /** A scrape was answered. */
  shown(): void {
    this.#calls.shown();
  }
}

const NO_REPLY_LABELS = { response_status_id: "none", response_type_id: "none", http_status: "none" } as const;

const DURATION = "satyapan_call_duration_seconds";

/** As an exposition shows them. */
function inOrder(labels: Omit<FinishedCall, "seconds">): Omit<FinishedCall, "seconds"> {
  const { provider, operation, outcome, response_status_id, response_type_id, http_status } = labels;
  return { provider, operation, outcome, response_status_id, response_type_id, http_status };
}

function keyOf(labels: Readonly<Record<CallLabel, string>>): string {
  const { operation, outcome, http_status, response_status_id, response_type_id } = labels;
  return `${operation} ${outcome} ${http_status} ${response_status_id} ${response_type_id}`;
}
