import { FAULTY_CALLS } from "../../grafana/queries.ts";
import type { Alert } from "./alert.ts";

/** A part of calls that may go wrong by us or the provider: 1 % of 30 days. */
const CALL_BUDGET = 0.01;
/** Interactive jobs that may be taken later than after 5 s. */
const PICKUP_BUDGET = 0.01;
/** Fewer bad ones in the long window say nothing (nights are quiet). */
const FEWEST = 5;

/** Pairs of windows and how fast the budget burns (SRE workbook, "Alerting on SLOs"). */
const BURNS = [
  { suffix: "Fast", long: "1h", short: "5m", times: 14.4, severity: "page", told: "in two days", after: "10m" },
  { suffix: "Steady", long: "6h", short: "30m", times: 6, severity: "page", told: "in five days", after: "30m" },
  { suffix: "Slow", long: "3d", short: "6h", times: 1, severity: "ticket", told: "within the month", after: "30m" },
] as const;

interface Objective {
  readonly name: string;
  readonly slo: string;
  readonly bad: (window: string) => string;
  readonly all: (window: string) => string;
  readonly budget: number;
  /** What must hold as well; `after`: how long what came during an outage is still on its way. */
  readonly and?: (after: string) => string;
  readonly summary: string;
  readonly description: string;
  readonly layer: Alert["layer"];
  readonly dashboard: Alert["dashboard"];
  readonly runbook: Alert["runbook"];
}

const OBJECTIVES: readonly Objective[] = [
  {
    name: "CallsFail",
    slo: "calls",
    bad: (window) => `sum by (provider) (increase(satyapan_calls_total{${FAULTY_CALLS}}[${window}]))`,
    all: (window) => `sum by (provider) (increase(satyapan_calls_total[${window}]))`,
    budget: CALL_BUDGET,
    layer: "call",
    summary: "{{ $value | humanizePercentage }} of {{ $labels.provider }}'s calls fail by our fault or theirs",
    description:
      "The objective is 99 % of calls that succeed or are the person's own no. At this rate the month's budget is gone",
    dashboard: "satyapan-provider",
    runbook: {
      means: "Time-outs, 5xx or refusals, often enough to matter. The panel *Calls by outcome* says which.",
      look: ["satyapan provider show PROVIDER", "satyapan unknown list --since 1h", "satyapan failed list --since 1h"],
      mend: [
        "unavailable, unknown: the provider or the network. refused: our account.",
        "Then settle what is unknown, and `satyapan failed retry --since 2h`.",
      ],
      over: "The short window's share is below the objective.",
    },
  },
  {
    name: "PickupLate",
    slo: "pickup",
    bad: (window) =>
      [
        `sum(increase(satyapan_job_pickup_seconds_count{lane="interactive"}[${window}]))`,
        `- sum(increase(satyapan_job_pickup_seconds_bucket{lane="interactive",le="5"}[${window}]))`,
      ].join(" "),
    all: (window) => `sum(increase(satyapan_job_pickup_seconds_count{lane="interactive"}[${window}]))`,
    budget: PICKUP_BUDGET,
    // A wait begins with the end of an outage, but then all that came during it comes at once, and has to wait for the quota.
    and: (after) => `max(max_over_time(satyapan_provider_held{reason=~"breaker|resuming|credential"}[${after}])) == 0`,
    layer: "job",
    summary: "{{ $value | humanizePercentage }} of interactive jobs wait longer than 5 s for a worker",
    description:
      "People wait for their OTP. The objective is 99 % within 5 s, counted from when a job may be called. It is not judged while what came during an outage is on its way (10 to 30 min after). At this rate the month's budget is gone",
    dashboard: "satyapan-workers",
    runbook: {
      means: "Too few workers, workers that are held up, or more interactive work than the quota allows.",
      look: ["satyapan quota show", "satyapan explain ID", "satyapan doctor"],
      mend: ["Start more workers where the cause is `worker`; stop bulk work where it is `quota`."],
      over: "*Pickup by lane, p99* is below 5 s.",
    },
  },
];

export const OBJECTIVE_ALERTS: readonly Alert[] = OBJECTIVES.flatMap(({ name, bad, all, budget, slo, and, ...rest }) =>
  BURNS.map(({ suffix, long, short, times, severity, told, after }): Alert => {
    const most = Number((times * budget).toFixed(4));
    return {
      ...rest,
      name: `${name}${suffix}`,
      slo,
      severity,
      expr: [
        `(${bad(long)}) / (${all(long)}) > ${most}`,
        `and (${bad(short)}) / (${all(short)}) > ${most}`,
        `and (${bad(long)}) >= ${FEWEST}`,
        ...(and === undefined ? [] : [`and ${and(after)}`]),
      ].join("\n"),
      ...(severity === "page" ? { for: "1m" } : { for: "15m" }),
      description: `${rest.description} ${told}.`,
    };
  }),
);
