import type { ChallengeEvent } from "../../src/telemetry/person-metrics.ts";
import {
  amountsPanel,
  CAUSE_OVERRIDES,
  GOOD_SHARE,
  linesPanel,
  lowIsGood,
  numberPanel,
  override,
  SHARE,
  stackPanel,
  STATE_OVERRIDES,
  WHOLE_IS_GOOD,
  ZERO_IS_GOOD,
} from "./looks.ts";
import type { Query, RowSpec } from "./panel.ts";
import {
  CALLS,
  calls,
  ENDED_OTPS,
  FAULTY_CALLS,
  gauge,
  JOBS,
  perSecond,
  PROVIDERS,
  QUEUES,
  share,
  total,
} from "./queries.ts";
import { callsByOutcome, held, openChallenges, quotaUsed } from "./shared.ts";

const FIRING = 'alertname=~"Satyapan.*",alertstate="firing"';

const GLANCE: RowSpec = {
  title: "Is anyone hurt now?",
  panels: [
    numberPanel(
      {
        title: "Alerts",
        description: "That fire now: those of the table below. Each has its runbook: docs/runbooks.",
        unit: "short",
      },
      ZERO_IS_GOOD,
      `count(ALERTS{${FIRING}}) or vector(0)`,
    ),
    numberPanel(
      {
        title: "Calls without fault",
        description:
          "Of all calls in the time range: that did not fail by our fault or the provider's (unavailable, unknown, refused). The " +
          "objective is 99 %. A rejection is a person's own no.",
        unit: "percentunit",
        link: "satyapan-provider",
        decimals: 2,
      },
      GOOD_SHARE,
      `1 - ${share(total("", "satyapan_calls_total", `${CALLS},${FAULTY_CALLS}`), calls(""))}`,
    ),
    numberPanel(
      {
        title: "Jobs unknown",
        description: "May have happened at the provider: someone has to decide. `satyapan unknown list` shows them.",
        unit: "short",
      },
      ZERO_IS_GOOD,
      `sum (${gauge("queue", "satyapan_jobs_undecided", `${QUEUES},state="unknown"`)})`,
    ),
    numberPanel(
      {
        title: "Workers that take jobs",
        description: "Of those that Prometheus knows. No data: none answers.",
        unit: "percentunit",
        link: "satyapan-workers",
      },
      WHOLE_IS_GOOD,
      'sum(satyapan_worker_ready) / count(up{job="worker"})',
    ),
    numberPanel(
      {
        title: "Holds now",
        description: "What holds a provider's jobs back: they wait, none fails. No data: no worker tells.",
        unit: "short",
        link: "satyapan-provider",
      },
      ZERO_IS_GOOD,
      `sum (${gauge("provider, reason", "satyapan_provider_held", PROVIDERS)})`,
    ),
    numberPanel(
      { title: "Oldest waiting now", description: "Age of the oldest job that could run now.", unit: "s" },
      lowIsGood(300, 1_800),
      `max (satyapan_queue_oldest_waiting_seconds{${QUEUES}})`,
    ),
  ],
};

const FIRES: RowSpec = {
  title: "Which alerts fire",
  panels: [
    {
      type: "table",
      title: "Alerts that fire",
      description: "Since when what each tells of has held. What to do: docs/runbooks.",
      unit: "s",
      w: 24,
      h: 5,
      instant: true,
      queries: [
        [
          `time() - max by (severity, alertname, provider, instance) (ALERTS_FOR_STATE and ignoring (alertstate) ALERTS{${FIRING}})`,
          "",
        ],
      ],
      transformations: [
        {
          id: "organize",
          options: {
            excludeByName: { Time: true },
            indexByName: { severity: 0, alertname: 1, provider: 2, instance: 3, Value: 4 },
            renameByName: { Value: "since" },
          },
        },
      ],
      options: { showHeader: true, cellHeight: "sm" },
      defaults: { noValue: "none fires" },
    },
  ],
};

const BY_STATUS = "provider, response_status_id";
const BY_REPLY = "operation, response_status_id, response_type_id";

const SUCCESS: RowSpec = {
  title: "How calls end",
  panels: [
    {
      type: "bargauge",
      title: "Success by response_status_id",
      description:
        "Share of the calls with this response_status_id that succeeded, over the time range. Eko answers a sent OTP " +
        "with 1 as often as with 0. Deepvue's sub_code stands in its place; none: no envelope; other: not in the tables.",
      unit: "percentunit",
      w: 8,
      h: 10,
      instant: true,
      queries: [
        [`sort_desc(${share(calls(BY_STATUS, "succeeded"), calls(BY_STATUS))})`, "{{provider}} {{response_status_id}}"],
      ],
      options: {
        orientation: "horizontal",
        displayMode: "lcd",
        valueMode: "color",
        reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
      },
      defaults: SHARE,
    },
    {
      type: "table",
      title: "Success by operation and response_status_id",
      description: "Over the time range, most calls first.",
      unit: "short",
      w: 16,
      h: 10,
      instant: true,
      queries: [
        [`${calls(BY_REPLY)} > 0`, ""],
        [share(calls(BY_REPLY, "succeeded"), calls(BY_REPLY)), ""],
      ],
      transformations: [
        { id: "merge", options: {} },
        {
          id: "organize",
          options: {
            excludeByName: { Time: true },
            indexByName: { operation: 0, response_status_id: 1, response_type_id: 2, "Value #A": 3, "Value #B": 4 },
            renameByName: { "Value #A": "calls", "Value #B": "succeeded" },
          },
        },
      ],
      options: { showHeader: true, cellHeight: "sm", sortBy: [{ displayName: "calls", desc: true }] },
      overrides: [
        override("calls", { decimals: 0 }),
        override("succeeded", {
          unit: "percentunit",
          ...SHARE,
          "custom.cellOptions": { type: "gauge", mode: "lcd", valueDisplayMode: "text" },
        }),
      ],
    },
    callsByOutcome({ description: "Calls per second, by how they ended." }),
    linesPanel(
      { title: "Success by operation", description: "Share of calls that succeeded.", unit: "percentunit" },
      [
        [
          share(
            perSecond("operation", "satyapan_calls_total", `${CALLS},outcome="succeeded"`),
            perSecond("operation", "satyapan_calls_total", CALLS),
          ),
          "{{operation}}",
        ],
      ],
      { min: 0, max: 1 },
    ),
  ],
};

/** What became of OTPs over the time range, by the operation that sent them. `event`: one, or some of them. */
function otps(event: string): string {
  return total("operation", "satyapan_challenges_total", `${JOBS},event=~"${event}"`);
}

/** The columns of the funnel: what goes out, what comes back, how it ends. */
const STEPS: readonly ChallengeEvent[] = [
  ...(["sent", "resent", "answered", "wrong", "rejected"] as const),
  ...(["spent", "expired", "verified"] as const),
];

const FUNNEL: RowSpec = {
  title: "From the code that was sent to the person who is verified",
  panels: [
    {
      type: "table",
      title: "OTP funnel",
      description:
        "Over the time range: OTPs sent (resent: of these in another's place), codes given, of these wrong and otherwise " +
        "refused; and how OTPs ended: no code was right (spent), none came (expired), verified. Lost: of those that ended.",
      unit: "short",
      w: 24,
      h: 6,
      instant: true,
      link: "satyapan-batches",
      queries: [
        ...STEPS.map((event): Query => [otps(event), ""]),
        [share(otps("spent|expired"), otps(ENDED_OTPS)), ""],
      ],
      transformations: [
        { id: "merge", options: {} },
        {
          id: "organize",
          options: {
            excludeByName: { Time: true },
            renameByName: Object.fromEntries(
              [...STEPS, "lost"].map((name, nth) => [`Value #${String.fromCodePoint(65 + nth)}`, name]),
            ),
          },
        },
      ],
      options: { showHeader: true, cellHeight: "sm" },
      defaults: { decimals: 0 },
      overrides: [override("lost", { unit: "percentunit", decimals: 0 })],
    },
  ],
};

function settled(window: string): string {
  return `sum by (provider) (label_replace(rate(satyapan_jobs_settled_total{${JOBS}}[${window}]), "provider", "$1", "operation", "([a-z]+)[.].*"))`;
}

const WAITING: RowSpec = {
  title: "What waits",
  panels: [
    stackPanel(
      {
        title: "Waiting by cause",
        description:
          "Why jobs are not worked on. worker: they lack nothing but one. Of long queues told from a sample.",
        unit: "short",
      },
      [`sum by (cause) (${gauge("queue, cause", "satyapan_jobs_waiting", QUEUES)})`, "{{cause}}"],
      CAUSE_OVERRIDES,
    ),
    linesPanel(
      { title: "Oldest waiting by queue", description: "Age of the oldest job that could run now.", unit: "s" },
      [[gauge("queue", "satyapan_queue_oldest_waiting_seconds", QUEUES), "{{queue}}"]],
    ),
    linesPanel(
      {
        title: "Jobs that come and jobs that are done",
        description: "Per second. Where more come than are done, queues grow.",
        unit: "ops",
      },
      [
        [
          `sum (max by (operation, lane) (rate(satyapan_jobs_submitted_total{${JOBS}}[$__rate_interval])))`,
          "submitted",
        ],
        [perSecond("", "satyapan_jobs_settled_total", JOBS), "settled"],
      ],
    ),
    linesPanel(
      {
        title: "Time to drain",
        description:
          "How long what is queued takes at the rate of the minute before each moment, or of five where that is slower. No data: " +
          "nothing is done.",
        unit: "s",
      },
      [
        [
          [
            `sum by (provider) (label_replace(${gauge("queue, state", "satyapan_queue_jobs", `${QUEUES},state=~"waiting|prioritized|delayed|active"`)}, "provider", "$1", "queue", "[{]([a-z]+)-.*"))`,
            `/ (((${settled("5m")} < ${settled("1m")}) or ${settled("1m")}) > 0)`,
          ].join("\n"),
          "{{provider}}",
        ],
      ],
    ),
    stackPanel(
      { title: "Jobs settled by state", description: "Jobs per second that reached an end.", unit: "ops" },
      [perSecond("state", "satyapan_jobs_settled_total", JOBS), "{{state}}"],
      STATE_OVERRIDES,
    ),
    amountsPanel(
      {
        title: "Jobs to decide",
        description: "unknown: `satyapan settle`; failed: `satyapan failed retry` or `drop`.",
        unit: "short",
      },
      [gauge("queue, state", "satyapan_jobs_undecided", QUEUES), "{{queue}} {{state}}"],
    ),
    amountsPanel({ title: "Waiting for a decision", description: "Since when the oldest of them waits.", unit: "s" }, [
      gauge("queue, state", "satyapan_jobs_undecided_oldest_seconds", QUEUES),
      "{{queue}} {{state}}",
    ]),
    openChallenges(),
  ],
};

const LIMITS: RowSpec = {
  title: "Limits",
  panels: [
    quotaUsed({
      description: "Part of each window of the provider's quota that is used up. At 100 % jobs wait for it.",
      link: "satyapan-provider",
    }),
    held({
      description: "While something is held its jobs wait and none fails; the reason says who has to mend it.",
    }),
  ],
};

const PRIVACY: RowSpec = {
  title: "Privacy",
  panels: [
    amountsPanel(
      {
        title: "Personal numbers and secrets in clear",
        description:
          "What workers came upon where it must not be, as they go through all keys. `satyapan scan` tells where.",
        unit: "short",
      },
      ["max by (place) (satyapan_privacy_findings)", "{{place}}"],
    ),
    amountsPanel(
      {
        title: "Sealed values past their time",
        description: "A worker destroys what is due within seconds. More than that: its record is broken; see its log.",
        unit: "s",
      },
      ["max by (queue) (satyapan_retention_overdue_seconds)", "{{queue}}"],
    ),
  ],
};

export const OVERVIEW: readonly RowSpec[] = [GLANCE, FIRES, SUCCESS, FUNNEL, WAITING, LIMITS, PRIVACY];
