import { formatDuration } from "../../src/base/duration.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import { ROW_STATES, type RowCounts } from "../../src/batches/row-state.ts";
import { formatTable } from "./table.ts";

/** `12 waiting, 3 succeeded`, in the order of a row's life. */
function formatCounts(counts: RowCounts): string {
  const parts = ROW_STATES.flatMap((state) => (counts[state] === 0 ? [] : [`${counts[state]} ${state}`]));
  return parts.length === 0 ? "no rows" : parts.join(", ");
}

/** Rows of which nothing more comes by itself. */
export function endedRows({ rows, counts }: BatchView): number {
  return rows - counts.waiting - counts.queued - counts.calling - counts.awaiting_otp;
}

/** One line: what is going on. */
export function formatProgress(view: BatchView, now: number): string {
  const { state, reason, counts, rows, estimated_end, rate } = view;
  const left = estimated_end === null ? null : Math.max(0, Date.parse(estimated_end) - now);
  return [
    `${state}${reason === null ? "" : ` (${reason})`}: ${endedRows(view)} of ${rows} rows ended`,
    ...(rate > 0 && left !== null ? [`${rate.toFixed(1)}/s, about ${formatDuration(roughly(left))} left`] : []),
    formatCounts(counts),
  ].join("; ");
}

export function formatBatch(view: BatchView, now: number): string {
  const { id, name, tenant, weight, created_at, ended_at, open_limit, open_challenges } = view;
  const lines: readonly (readonly [string, string])[] = [
    ["batch", `${id}  ${name}`],
    ["runs", view.flow ?? view.operation ?? ""],
    ["state", `${view.state}${view.reason === null ? "" : `: ${view.reason}`}`],
    ["rows", `${view.rows}: ${formatCounts(view.counts)}`],
    ["share", `weight ${weight} of tenant ${tenant}`],
    ...(open_limit === null && open_challenges === 0
      ? []
      : ([["codes", `${open_challenges} awaited${open_limit === null ? "" : ` of at most ${open_limit}`}`]] as const)),
    ["submitted", created_at],
    ...(ended_at === null ? [] : ([["ended", ended_at]] as const)),
    ...(view.estimated_end === null
      ? []
      : ([["ends about", `${view.estimated_end} (${progressLeft(view, now)})`]] as const)),
  ];
  return `${lines.map(([title, text]) => `${title.padEnd(12)}${text}`).join("\n")}\n`;
}

export function formatBatches(views: readonly BatchView[]): string {
  if (views.length === 0) return "no batch\n";
  const titles = ["batch", "name", "runs", "tenant", "state", "submitted"];
  const rows = views.map((view) => [
    ...[view.id, view.name, view.flow ?? view.operation ?? "", view.tenant, view.state, view.created_at, view.rows],
    formatCounts(view.counts),
  ]);
  const columns = [
    ...titles.map((title) => ({ title })),
    { title: "rows", align: "right" } as const,
    { title: "of which" },
  ];
  return formatTable(columns, rows);
}

function progressLeft({ estimated_end, rate }: BatchView, now: number): string {
  const left = Math.max(0, Date.parse(estimated_end ?? "") - now);
  return `${rate.toFixed(1)} rows/s, ${formatDuration(roughly(left))} left`;
}

/** To the second, beyond a minute to the minute: it is an estimate. */
function roughly(ms: number): number {
  const unit = ms > 60_000 ? 60_000 : 1_000;
  return Math.max(unit, Math.round(ms / unit) * unit);
}
