/** Metrics and their labels, word for word from design §6; `histogram` ones appear as _bucket (with `le`), _sum and _count. */
export const METRICS: Readonly<Record<string, { readonly labels: readonly string[]; readonly histogram?: true }>> = {
  satyapan_calls_total: {
    labels: ["provider", "operation", "outcome", "response_status_id", "response_type_id"],
  },
  satyapan_call_duration_seconds: { labels: ["provider", "operation"], histogram: true },
  satyapan_jobs_settled_total: { labels: ["operation", "state", "lane"] },
  satyapan_job_pickup_seconds: { labels: ["lane"], histogram: true },
  satyapan_queue_jobs: { labels: ["queue", "state"] },
  satyapan_queue_oldest_waiting_seconds: { labels: ["queue"] },
  satyapan_quota_used_ratio: { labels: ["provider", "window"] },
  satyapan_provider_held: { labels: ["provider", "reason"] },
  satyapan_privacy_findings: { labels: ["place"] },
  satyapan_retention_overdue_seconds: { labels: ["queue"] },
};

/** The name as in the contract, of a series as Prometheus has it. */
export function family(series: string): string {
  const stem = series.replace(/_(bucket|sum|count)$/, "");
  return METRICS[stem]?.histogram === true ? stem : series;
}

/** The labels a series has, besides those that Prometheus adds. */
export function labelsOf(series: string): readonly string[] {
  const labels = METRICS[family(series)]?.labels ?? [];
  return series.endsWith("_bucket") ? [...labels, "le"] : labels;
}
