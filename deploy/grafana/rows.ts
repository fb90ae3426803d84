import {
  GOOD_SHARE,
  linesPanel,
  lowIsGood,
  numberPanel,
  override,
  OUTCOME_OVERRIDES,
  SHARE,
  stackPanel,
  ZERO_IS_GOOD,
} from "./looks.ts";
import type { RowSpec } from "./panel.ts";
import { CALLS, calls, gauge, JOBS, perSecond, PROVIDERS, quantile, QUEUES, settled, share } from "./queries.ts";

export const GLANCE: RowSpec = {
  title: "At a glance, over the time range",
  panels: [
    numberPanel(
      {
        title: "Calls succeeded",
        description: "Of all calls to providers. A rejection is the provider's final no for a person, not a fault.",
        unit: "percentunit",
      },
      GOOD_SHARE,
      share(calls("", "succeeded"), calls("")),
    ),
    numberPanel(
      {
        title: "Jobs succeeded",
        description: "Of all jobs that reached an end. Expired, unknown and cancelled are not successes.",
        unit: "percentunit",
      },
      GOOD_SHARE,
      share(settled("succeeded"), settled()),
    ),
    numberPanel(
      {
        title: "Jobs unknown",
        description: "May have happened at the provider: someone has to decide with `satyapan settle`.",
        unit: "short",
      },
      ZERO_IS_GOOD,
      `${settled("unknown")} or vector(0)`,
    ),
    numberPanel(
      {
        title: "Calls throttled",
        description: "Share of calls answered with 429: the quota set here is larger than the provider's.",
        unit: "percentunit",
      },
      lowIsGood(0.01, 0.05),
      share(calls("", "throttled"), calls("")),
    ),
    numberPanel(
      { title: "Holds now", description: "What is held: its jobs wait, none fails. See the last row.", unit: "short" },
      ZERO_IS_GOOD,
      `sum (${gauge("provider, reason", "satyapan_provider_held", PROVIDERS)}) or vector(0)`,
    ),
    numberPanel(
      { title: "Oldest waiting now", description: "Age of the oldest job that could run now.", unit: "s" },
      lowIsGood(300, 1_800),
      `max (satyapan_queue_oldest_waiting_seconds{${QUEUES}})`,
    ),
  ],
};

const BY_STATUS = "provider, response_status_id";
const BY_REPLY = "operation, response_status_id, response_type_id";

export const SUCCESS: RowSpec = {
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
        [calls(BY_REPLY), ""],
        [share(calls(BY_REPLY, "succeeded"), calls(BY_REPLY)), ""],
      ],
      transformations: [
        { id: "merge", options: {} },
        {
          id: "organize",
          options: {
            excludeByName: { Time: true },
            indexByName: {
              operation: 0,
              response_status_id: 1,
              response_type_id: 2,
              "Value #A": 3,
              "Value #B": 4,
            },
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
    {
      ...linesPanel(
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
      w: 24,
    },
  ],
};

export const CALL_FLOW: RowSpec = {
  title: "Calls",
  panels: [
    stackPanel(
      { title: "Calls by outcome", description: "Calls per second, by how they ended.", unit: "reqps" },
      [perSecond("outcome", "satyapan_calls_total", CALLS), "{{outcome}}"],
      OUTCOME_OVERRIDES,
    ),
    linesPanel(
      {
        title: "Call duration, p50 and p99",
        description: "From the first byte written to the last byte read, per operation.",
        unit: "s",
      },
      [
        [quantile(0.5, "operation", "satyapan_call_duration_seconds", CALLS), "{{operation}} p50"],
        [quantile(0.99, "operation", "satyapan_call_duration_seconds", CALLS), "{{operation}} p99"],
      ],
    ),
  ],
};

export const JOB_FLOW: RowSpec = {
  title: "Jobs and queues",
  panels: [
    stackPanel(
      { title: "Jobs settled by state and lane", description: "Jobs per second that reached an end.", unit: "ops" },
      [perSecond("state, lane", "satyapan_jobs_settled_total", JOBS), "{{state}} {{lane}}"],
    ),
    linesPanel(
      {
        title: "Pickup by lane, p99",
        description:
          "From when a job could be tried to when a worker took it; all providers. Interactive: a person is waiting.",
        unit: "s",
      },
      [[quantile(0.99, "lane", "satyapan_job_pickup_seconds"), "{{lane}}"]],
    ),
    linesPanel(
      {
        title: "Queue depth by state",
        description: "Delayed: backing off, or waiting out a cooldown or a hold.",
        unit: "short",
      },
      [[gauge("queue, state", "satyapan_queue_jobs", QUEUES), "{{queue}} {{state}}"]],
    ),
    linesPanel(
      { title: "Oldest waiting by queue", description: "Age of the oldest job that could run now.", unit: "s" },
      [[gauge("queue", "satyapan_queue_oldest_waiting_seconds", QUEUES), "{{queue}}"]],
    ),
  ],
};

export const LIMITS: RowSpec = {
  title: "Limits",
  panels: [
    linesPanel(
      {
        title: "Quota used",
        description: "Part of each window of the provider's quota that is used up. At 100 % jobs wait for it.",
        unit: "percentunit",
      },
      [[gauge("provider, window", "satyapan_quota_used_ratio", PROVIDERS), "{{provider}} {{window}}"]],
      { min: 0, max: 1 },
    ),
    {
      type: "state-timeline",
      title: "Held",
      description: "While something is held its jobs wait and none fails; the reason says who has to mend it.",
      unit: "short",
      w: 12,
      h: 8,
      queries: [[gauge("provider, reason", "satyapan_provider_held", PROVIDERS), "{{provider}} {{reason}}"]],
      options: {
        mergeValues: true,
        showValue: "auto",
        alignValue: "left",
        rowHeight: 0.8,
        legend: { showLegend: false },
      },
      defaults: {
        color: { mode: "thresholds" },
        thresholds: { mode: "absolute", steps: ZERO_IS_GOOD },
        mappings: [{ type: "value", options: { 0: { text: "open", index: 0 }, 1: { text: "held", index: 1 } } }],
      },
    },
  ],
};

export const PRIVACY: RowSpec = {
  title: "Privacy",
  panels: [
    linesPanel(
      {
        title: "Personal numbers and secrets in clear",
        description:
          "What workers came upon where it must not be, as they go through all keys. `satyapan scan` tells where.",
        unit: "short",
      },
      [["max by (place) (satyapan_privacy_findings)", "{{place}}"]],
      { min: 0 },
    ),
    linesPanel(
      {
        title: "Sealed values past their time",
        description: "A worker destroys what is due within seconds. More than that: its record is broken; see its log.",
        unit: "s",
      },
      [["max by (queue) (satyapan_retention_overdue_seconds)", "{{queue}}"]],
      { min: 0 },
    ),
  ],
};
