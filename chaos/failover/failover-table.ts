import { type Column, formatTable } from "../../producers/report/table.ts";
import type { FailoverReport } from "./run-scenario.ts";

const NUMBERS = ["accepted", "calls", "failover", "still", "unknown", "unjournaled", "2nd OTP", "over", "lost", "open"];
const COLUMNS: readonly Column[] = [
  { title: "scenario" },
  ...NUMBERS.map((title) => ({ title, align: "right" }) as const),
  { title: "submits refused" },
  { title: "held up", align: "right" },
  { title: "verdict" },
];

/** One row per scenario. `unknown`: never seen by the provider + its reply delivered. */
export function failoverTable(reports: ReadonlyMap<string, FailoverReport>): string {
  return formatTable(
    COLUMNS,
    [...reports].map(([name, report]) => [
      name,
      ...[report.accepted, report.calls, seconds(report.failoverMs), seconds(report.stillMs)],
      `${report.neverSeen.length} + ${report.delivered.length}`,
      ...[report.unjournaled, report.secondOtps, report.overQuota, report.vanished.length, report.stuck.length],
      [...report.refusals].map(([word, times]) => `${times} ${word}`).join(", ") || "none",
      `${report.heldUpMs} ms`,
      report.missed.length === 0 ? "holds" : report.missed.join("; "),
    ]),
  );
}

/** What a reader must know beside the table. */
export const FAILOVER_VERDICT = `Without min-replicas-to-write a master that dies or is cut off may take with it what no replica had yet: accepted jobs,
openings of attempts (a call that no journal knows, a second OTP) and permits (calls over the quota). It may never cost a
false unknown, a call that stands still for longer than the failover and 2 s, or a submit that is refused for what passes.
`;

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
