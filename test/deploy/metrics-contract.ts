import { collectDefaultMetrics, Histogram, type Metric, Registry } from "prom-client";
import { Metrics } from "../../src/telemetry/metrics.ts";

/** Labels, word for word from design §6, of the metrics that others depend on. */
export const CONTRACT: Readonly<Record<string, readonly string[]>> = {
  satyapan_calls_total: ["provider", "operation", "outcome", "response_status_id", "response_type_id"],
  satyapan_call_duration_seconds: ["provider", "operation"],
  satyapan_jobs_settled_total: ["operation", "state", "lane"],
  satyapan_job_pickup_seconds: ["lane"],
  satyapan_queue_jobs: ["queue", "state"],
  satyapan_queue_oldest_waiting_seconds: ["queue"],
  satyapan_quota_used_ratio: ["provider", "window"],
  satyapan_provider_held: ["provider", "reason"],
};

interface Family {
  readonly labels: readonly string[];
  readonly help: string;
  readonly isHistogram: boolean;
}

/** Every metric that a worker has; `histogram` ones appear as _bucket (with `le`), _sum and _count. */
export const METRICS: Readonly<Record<string, Family>> = familiesOf();

function familiesOf(): Record<string, Family> {
  const { registry } = new Metrics(new Registry());
  collectDefaultMetrics({ register: registry });
  const families = (
    registry.getMetricsAsArray() as unknown as (Metric & { name: string; help: string; labelNames: string[] })[]
  ).map((metric): [string, Family] => [
    metric.name,
    { labels: metric.labelNames, help: metric.help, isHistogram: metric instanceof Histogram },
  ]);
  registry.clear();
  return Object.fromEntries(families);
}

/** The name as in the contract, of a series as Prometheus has it. */
export function family(series: string): string {
  const stem = series.replace(/_(bucket|sum|count)$/, "");
  return METRICS[stem]?.isHistogram === true ? stem : series;
}

/** The labels a series has, besides those that Prometheus adds. */
export function labelsOf(series: string): readonly string[] {
  const labels = METRICS[family(series)]?.labels ?? [];
  return series.endsWith("_bucket") ? [...labels, "le"] : labels;
}
