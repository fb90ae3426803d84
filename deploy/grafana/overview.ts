import { amountsPanel, GOOD_SHARE, lowIsGood, numberPanel, WHOLE_IS_GOOD, ZERO_IS_GOOD } from "./looks.ts";
import type { RowSpec } from "./panel.ts";
import { CALLS, calls, FAULTY_CALLS, gauge, PROVIDERS, QUEUES, share, total } from "./queries.ts";
import { held, quotaUsed } from "./shared.ts";
import { CALL_ENDS } from "./rows/call-ends.ts";
import { OTP_FUNNEL } from "./rows/otp-funnel.ts";
import { WAITING } from "./rows/waiting.ts";

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

export const OVERVIEW: readonly RowSpec[] = [GLANCE, FIRES, CALL_ENDS, OTP_FUNNEL, WAITING, LIMITS, PRIVACY];
