import { formatDuration } from "../../src/base/duration.ts";
import type { ProviderHealth, Trouble } from "../jobs/health.ts";
import { formatTable } from "./table.ts";

/** The most troubles of a provider that are shown. */
const MOST_TROUBLES = 5;

/** The health of all providers, for a terminal. */
export function formatHealth(all: readonly ProviderHealth[]): string {
  return all.map(formatProvider).join("\n");
}

function formatProvider(health: ProviderHealth): string {
  const { provider, workers, windows, held, oldest, calls, counts, troubles, pausedFor, breakerFor, share } = health;
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
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, text]) => `  ${name.padEnd(width)}${text}`);
  return [provider, ...lines, ...(troubles.length === 0 ? [] : [troubleTable(troubles)]), ""].join("\n");
}

function inLine(counts: ProviderHealth["counts"]): number {
  return (counts["waiting"] ?? 0) + (counts["prioritized"] ?? 0) + (counts["paused"] ?? 0);
}

function waitingText({ waiting }: ProviderHealth): string {
  const causes = Object.entries(waiting).filter(([, count]) => count > 0);
  if (causes.length === 0) return "nothing";
  return causes.map(([cause, count]) => `${cause} ${count}`).join(", ");
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
