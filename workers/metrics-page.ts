import { OPEN_METRICS_TYPE } from "../src/telemetry/open-metrics.ts";

const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What was measured for a scrape, in the forms in which it may be asked for. */
export interface MetricsPage {
  readonly text: string;
  /** Null: there are no exemplars, for which alone anybody needs it. Made once, when it is first asked for. */
  readonly openMetrics: (() => string) | null;
}

/** Remembers what it made. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** The form that is liked best, as `Accept` says it; the text format for everybody who says nothing of OpenMetrics. */
export function formOf(page: MetricsPage, accept: string): { readonly type: string; readonly text: string } {
  const open = liking(accept, "application/openmetrics-text");
  const isLiked = open > 0 && open >= liking(accept, "text/plain");
  if (page.openMetrics === null || !isLiked) return { type: TEXT_TYPE, text: page.text };
  return { type: OPEN_METRICS_TYPE, text: page.openMetrics() };
}

/** 0 to 1: the most that any of the ranges gives this type; 0 where it is not named. */
function liking(accept: string, type: string): number {
  const named = accept
    .toLowerCase()
    .split(",")
    .map((range) => range.split(";").map((part) => part.trim()));
  const likings = named
    .filter(([name]) => name === type)
    .map((parts) => Number(parts.find((part) => part.startsWith("q="))?.slice(2) ?? 1));
  return Math.max(0, ...likings.filter((one) => one >= 0 && one <= 1));
}
