import type { JobRecord } from "../../src/records/record.ts";
import { formatTable } from "./table.ts";

interface Group {
  readonly operation: string;
  readonly outcome: string;
  readonly response_status_id: string;
  readonly latencies: number[];
}

/**
 * What came of many jobs: every call by operation × outcome × response_status_id (Deepvue's `sub_code` is its
 * response_status_id), how many, and how long they took.
 */
export class OutcomeTable {
  readonly #groups = new Map<string, Group>();

  add({ operation, attempts }: JobRecord): void {
    for (const { started_at, ended_at, outcome } of attempts) {
      if (outcome === null || ended_at === null) continue;
      const response_status_id = String(outcome.response_status_id ?? outcome.sub_code ?? "none");
      const key = JSON.stringify([operation, outcome.kind, response_status_id]);
      const group = this.#groups.get(key) ?? { operation, outcome: outcome.kind, response_status_id, latencies: [] };
      group.latencies.push(Date.parse(ended_at) - Date.parse(started_at));
      this.#groups.set(key, group);
    }
  }

  format(): string {
    const rows = [...this.#groups.entries()]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([, { operation, outcome, response_status_id, latencies }]) => [
        ...[operation, outcome, response_status_id, latencies.length],
        ...[`${percentile(latencies, 0.5)} ms`, `${percentile(latencies, 0.99)} ms`],
      ]);
    if (rows.length === 0) return "no call has ended yet\n";
    const columns = [{ title: "operation" }, { title: "outcome" }, { title: "response_status_id" }] as const;
    const figures = ["calls", "p50", "p99"].map((title) => ({ title, align: "right" as const }));
    return formatTable([...columns, ...figures], rows);
  }
}

/** The nearest-rank percentile of at least one value. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
