/** Where the first look goes: a dashboard's uid. */
export type DashboardUid = "satyapan-overview" | "satyapan-provider" | "satyapan-batches" | "satyapan-workers";

/**
 * What an alert is about, from the ground up. Where the ground gives way, what stands on it is not called for:
 * deploy/alertmanager/alertmanager.yml.
 */
export type Layer = "redis" | "worker" | "provider" | "call" | "job" | "data";

/** An alert and its runbook: what Prometheus, Alertmanager and docs/runbooks are made of. */
export interface Alert {
  /** Without the prefix `Satyapan`. */
  readonly name: string;
  readonly expr: string;
  /** How long it has to last. Default: it counts at once. */
  readonly for?: string;
  /** `page`: somebody now; `ticket`: somebody today. */
  readonly severity: "page" | "ticket";
  readonly layer: Layer;
  /** It explains those of higher layers, and they are silent beside it. */
  readonly isRoot?: true;
  /** Of several alerts on one objective a page silences the tickets. */
  readonly slo?: string;
  /** One line: what is wrong, with its numbers. */
  readonly summary: string;
  /** What it does to people, in words that are understood half asleep. */
  readonly description: string;
  readonly dashboard: DashboardUid;
  readonly runbook: {
    /** What it means, and how it usually comes. */
    readonly means: string;
    /** The exact commands of the first look. */
    readonly look: readonly string[];
    readonly mend: readonly string[];
    /** How to know that it is over. */
    readonly over: string;
  };
}

/** Adds the label `provider` to series that have a queue. */
export function ofProvider(expr: string): string {
  return `label_replace(${expr}, "provider", "$1", "queue", "[{]([a-z]+)-.*")`;
}
