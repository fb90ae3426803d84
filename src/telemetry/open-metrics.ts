import type { Exemplar } from "./exemplars.ts";

export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const META = /^# (HELP|TYPE) (\S+) (.*)$/;
/** As a histogram's buckets are written: `le` first. */
const BUCKET = /^(\w+)_bucket\{le="([^"]+)",?(.*)\} /;
const TOTAL = "_total";

/** `labels`: those of a bucket but for `le`, as they are written. */
export type ExemplarOf = (metric: string, labels: string, le: string) => Exemplar | null;

/** A page in Prometheus' text format as OpenMetrics 1.0, with exemplars; series keep their names and labels. */
export function toOpenMetrics(text: string, exemplarOf: ExemplarOf): string {
  const counters = new Set(Array.from(text.matchAll(/^# TYPE (\S+)_total counter$/gm), ([, name = ""]) => name));
  const lines = text.split("\n").filter((line) => line !== "");
  return `${lines.map((line) => (line.startsWith("#") ? meta(line, counters) : sample(line, exemplarOf))).join("\n")}\n# EOF\n`;
}

/** A counter's family is named without `_total`, and quotation marks are escaped. */
function meta(line: string, counters: ReadonlySet<string>): string {
  const [, keyword, name = "", rest = ""] = META.exec(line) ?? [];
  if (keyword === undefined) return line;
  const family = name.endsWith(TOTAL) ? name.slice(0, -TOTAL.length) : name;
  const shown = counters.has(family) ? family : name;
  return `# ${keyword} ${shown} ${keyword === "HELP" ? rest.replaceAll('"', String.raw`\"`) : rest}`;
}

function sample(line: string, exemplarOf: ExemplarOf): string {
  const [, metric, le = "", labels = ""] = BUCKET.exec(line) ?? [];
  const exemplar = metric === undefined ? null : exemplarOf(metric, labels, le);
  if (exemplar === null) return line;
  const { traceId, seconds, at } = exemplar;
  return `${line} # {trace_id="${traceId}"} ${seconds} ${at / 1_000}`;
}
