// PromQL of the dashboard, from Grafana's variables $provider, $operation, $__range and $__rate_interval.

/** Label matchers per family of metrics. Only calls have `provider`: operations and queues begin with it (design §5, §6). */
export const CALLS = 'provider=~"$provider",operation=~"$operation"';
export const JOBS = 'operation=~"$provider[.].*",operation=~"$operation"';
export const QUEUES = 'queue=~"[{]$provider-.*"';
export const PROVIDERS = 'provider=~"$provider"';

/** Calls in the time range, summed to the labels `by`. */
export function calls(by: string, outcome?: string): string {
  return total(by, "satyapan_calls_total", outcome === undefined ? CALLS : `${CALLS},outcome="${outcome}"`);
}

/** Jobs that reached an end in the time range. */
export function settled(state?: string): string {
  return total("", "satyapan_jobs_settled_total", state === undefined ? JOBS : `${JOBS},state="${state}"`);
}

/**
 * A counter over the time range. `increase` alone loses the first count of a series that began in the range, and for
 * rare outcomes there is no other: such a series counts whole.
 */
function total(by: string, metric: string, matchers: string): string {
  const counter = `${metric}{${matchers}}`;
  return `sum by (${by}) ((${counter} unless ${counter} offset $__range) or increase(${counter}[$__range]))`;
}

/** A counter per second, summed to the labels `by`. */
export function perSecond(by: string, metric: string, matchers: string): string {
  return `sum by (${by}) (rate(${metric}{${matchers}}[$__rate_interval]))`;
}

/** Part of a whole, 0–1: 0 where the part has no series, nothing where the whole is 0. */
export function share(part: string, whole: string): string {
  return `(\n  ${part}\n  or ${whole} * 0\n)\n/ (${whole} > 0)`;
}

/** Quantile `q` of a histogram, per value of the label `by`. */
export function quantile(q: number, by: string, metric: string, matchers = ""): string {
  return `histogram_quantile(${q}, ${perSecond(`le, ${by}`, `${metric}_bucket`, matchers)})`;
}

/** A gauge that every worker reports alike: joined, not added up. */
export function gauge(by: string, metric: string, matchers: string): string {
  return `max by (${by}) (${metric}{${matchers}})`;
}
