import { formatDuration } from "../../src/base/duration.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import { endedRows } from "./format-batch.ts";
import type { ProviderHealth, Trouble } from "../jobs/health.ts";
import { formatTable } from "./table.ts";

/** The most troubles and batches of a provider that are shown. */
const MOST_TROUBLES = 5;
const MOST_BATCHES = 8;

/** The health of all providers, for a terminal. */
export function formatHealth(all: readonly ProviderHealth[]): string {
  return all.map(formatProvider).join("\n");
}

function formatProvider(health: ProviderHealth): string {
  const { provider, workers, windows, held, oldest, calls, counts, troubles, pausedFor, breakerFor, share } = health;
  const { openBatches } = health;
  const holds = Object.keys(held).filter((reason) => held[reason] === true);
  const stopped = [
    ...holds,
    ...(pausedFor > 0 ? [`for ${seconds(pausedFor)}`] : []),
    ...(breakerFor > 0 ? [`since ${seconds(breakerFor)}`] : []),
  ];
  const quota = windows.map(({ window, max, used }) => `${window}: ${used} used, ${Math.max(0, max - used)} left`);
  const jobs = `${counts["active"] ?? 0} under way, ${inLine(counts)} in line, ${counts["delayed"] ?? 0} put away`;
  const rows: [string, string][] = [
    ["workers", workers === null ? "not told" : String(workers)],
    ["held", stopped.length === 0 ? "no" : stopped.join(", ")],
    ["quota", quota.length === 0 ? "none yet: no worker was started" : quota.join("; ")],
    ...(share < 1
      ? [["share", `${Math.round(share * 100)} % of the quota since the last 429s`] as [string, string]]
      : []),
    ["calls at once", `${calls.inFlight} of ${calls.limit}`],
    ["jobs", jobs],
    ["waiting for", waitingText(health)],
    ["oldest", oldest === 0 ? "none waits" : seconds(oldest)],
    ["to decide", `${health.unknown?.count ?? 0} unknown, ${health.failed?.count ?? 0} failed`],
    ["open codes", challengesText(health)],
    ["onboardings", onboardingsText(health)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, text]) => `  ${name.padEnd(width)}${text}`);
  const tables = [
    ...(openBatches.length === 0 ? [] : [batchTable(openBatches)]),
    ...(troubles.length === 0 ? [] : [troubleTable(troubles)]),
  ];
  return [provider, ...lines, ...tables, ""].join("\n");
}

function inLine(counts: ProviderHealth["counts"]): number {
  return (counts["waiting"] ?? 0) + (counts["prioritized"] ?? 0) + (counts["paused"] ?? 0);
}

function waitingText({ waiting }: ProviderHealth): string {
  const causes = Object.entries(waiting).filter(([, count]) => count > 0);
  if (causes.length === 0) return "nothing";
  return causes.map(([cause, count]) => `${cause} ${count}`).join(", ");
}

/** The nearest to its end first. */
function challengesText({ challenges }: ProviderHealth): string {
  const open = Object.entries(challenges ?? {}).filter(([, count]) => count > 0);
  if (open.length === 0) return "none awaited";
  const all = open.reduce((sum, [, count]) => sum + count, 0);
  return `${all} awaited: ${open.map(([left, count]) => `${count} ${left === "longer" ? left : `within ${left}`}`).join(", ")}`;
}

function onboardingsText({ onboardings }: ProviderHealth): string {
  const byState = new Map<string, number>();
  for (const { state, count } of onboardings?.open ?? []) byState.set(state, (byState.get(state) ?? 0) + count);
  const open = [...byState].filter(([, count]) => count > 0);
  return open.length === 0 ? "none under way" : open.map(([state, count]) => `${count} ${state}`).join(", ");
}

function batchTable(batches: readonly BatchView[]): string {
  const words = ["batch", "name", "state"].map((title) => ({ title }));
  const numbers = ["rows", "done", "rows/s", "codes awaited"].map((title) => ({ title, align: "right" as const }));
  const rows = batches
    .slice(0, MOST_BATCHES)
    .map((batch) => [
      ...[batch.id, batch.name, batch.reason === null ? batch.state : `${batch.state}: ${batch.reason}`, batch.rows],
      ...[`${Math.floor((100 * endedRows(batch)) / Math.max(1, batch.rows))} %`, batch.rate.toFixed(1)],
      ...[batch.open_challenges, batch.estimated_end ?? "-"],
    ]);
  const more = batches.length - rows.length;
  const table = formatTable([...words, ...numbers, { title: "ends about" }], rows).trimEnd();
  return more > 0 ? `${table}\nand ${more} more: satyapan batch list` : table;
}

function troubleTable(troubles: readonly Trouble[]): string {
  const columns = ["last trouble", "jobs", "state", "operation", "http", "reason"].map((title) => ({ title }));
  const rows = troubles
    .slice(0, MOST_TROUBLES)
    .map(({ last_at, count, state, operation, http_status, reason }) => [
      ...[last_at, count, state, operation],
      ...[http_status ?? "-", reason ?? "-"],
    ]);
  return formatTable(columns, rows).trimEnd();
}

function seconds(value: number): string {
  return formatDuration(Math.max(1, Math.round(value)) * 1_000);
}
