// PromQL of the dashboards, from Grafana's variables $provider, $operation, $instance, $__range and $__rate_interval.

import type { Query } from "./panel.ts";

/** Label matchers per family of metrics. Only calls have `provider`: operations and queues begin with it (design §5, §6). */
export const CALLS = 'provider=~"$provider",operation=~"$operation"';
export const JOBS = 'operation=~"$provider[.].*",operation=~"$operation"';
/** Jobs on a dashboard that asks for providers alone. */
export const PROVIDER_OPERATIONS = 'operation=~"$provider[.].*"';
export const QUEUES = 'queue=~"[{]$provider-.*"';
export const FLOWS = 'flow=~"$provider[.].*"';
export const PROVIDERS = 'provider=~"$provider"';
/** How OTPs end, each once, but for those that another was sent in place of. */
export const ENDED_OTPS = "verified|spent|expired";
/**
 * Calls that failed by our or the provider's fault, as the objective counts them. A rejection is the person's own, `pending` the
 * provider's guard; a 429 has alerts of its own, and costs no job anything but time.
 */
export const FAULTY_CALLS = 'outcome=~"unavailable|unknown|refused"';
export const INSTANCES = 'instance=~"$instance"';

/** A counter over the time range, summed to the labels `by`. Series begin at 0, so that their first count is in it. */
export function total(by: string, metric: string, matchers: string): string {
  return `sum by (${by}) (increase(${metric}{${matchers}}[$__range]))`;
}

/** Calls in the time range. */
export function calls(by: string, outcome?: string): string {
  return total(by, "satyapan_calls_total", outcome === undefined ? CALLS : `${CALLS},outcome="${outcome}"`);
}

/** A counter per second, summed to the labels `by`. */
export function perSecond(by: string, metric: string, matchers: string): string {
  return `sum by (${by}) (rate(${metric}{${matchers}}[$__rate_interval]))`;
}

/** Part of a whole, 0–1: 0 where the part has no series, nothing where the whole is 0. */
export function share(part: string, whole: string): string {
  return `(\n  ${part}\n  or ${whole} * 0\n)\n/ (${whole} > 0)`;
}

/** Quantile `q` of a histogram, per value of the label `by`; nothing (and no NaN) where nothing was observed. */
export function quantile(q: number, by: string, metric: string, matchers = ""): string {
  return `histogram_quantile(${q}, ${perSecond(`le, ${by}`, `${metric}_bucket`, matchers)}) >= 0`;
}

/** A gauge that every worker reports alike: joined, not added up. */
export function gauge(by: string, metric: string, matchers: string): string {
  return `max by (${by}) (${metric}{${matchers}})`;
}

/** A gauge of each provider. `what` follows its name in the legend. */
export function byProvider(metric: string, what = ""): Query {
  return [gauge("provider", metric, PROVIDERS), `{{provider}} ${what}`.trimEnd()];
}

/** A metric as each worker has it. */
export function ofEach(metric: string): Query {
  return [`${metric}{${INSTANCES}}`, "{{instance}}"];
}
