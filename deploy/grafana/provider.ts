import { amountsPanel, heatmapPanel, HTTP_OVERRIDES, linesPanel, override, stackPanel } from "./looks.ts";
import type { RowSpec } from "./panel.ts";
import { byProvider, CALLS, calls, gauge, perSecond, PROVIDERS, quantile, share } from "./queries.ts";
import { callsByOutcome, held, quotaUsed } from "./shared.ts";

const ALL_CALLS = perSecond("provider", "satyapan_calls_total", CALLS);

function shareOf(outcome: string): string {
  return share(perSecond("provider", "satyapan_calls_total", `${CALLS},outcome="${outcome}"`), ALL_CALLS);
}

const CALL_FLOW: RowSpec = {
  title: "Calls",
  panels: [
    callsByOutcome({ description: "Calls per second, by how they ended." }),
    stackPanel(
      { title: "Calls by HTTP status", description: "Calls per second; none: there was no reply.", unit: "reqps" },
      [perSecond("http_status", "satyapan_calls_total", CALLS), "{{http_status}}"],
      HTTP_OVERRIDES,
    ),
    heatmapPanel(
      { title: "Call duration", description: "How many calls took how long; usual are 0.1 to 2 s.", unit: "s" },
      `sum by (le) (increase(satyapan_call_duration_seconds_bucket{${CALLS}}[$__rate_interval]))`,
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
    {
      type: "table",
      title: "Replies",
      description: "Over the time range, by outcome and both ids, most first.",
      unit: "short",
      w: 12,
      h: 8,
      instant: true,
      queries: [[`${calls("outcome, response_status_id, response_type_id, http_status")} > 0`, ""]],
      transformations: [
        { id: "organize", options: { excludeByName: { Time: true }, renameByName: { Value: "calls" } } },
      ],
      options: { showHeader: true, cellHeight: "sm", sortBy: [{ displayName: "calls", desc: true }] },
      overrides: [override("calls", { decimals: 0 })],
    },
    linesPanel(
      {
        title: "409 and 429",
        description:
          "Shares of calls. 409 (pending): the provider guards a person; 429 (throttled): our quota is too large.",
        unit: "percentunit",
      },
      [
        [shareOf("pending"), "{{provider}} pending"],
        [shareOf("throttled"), "{{provider}} throttled"],
      ],
      { min: 0, max: 1 },
    ),
  ],
};

const GATE: RowSpec = {
  title: "Gate",
  panels: [
    held({
      description:
        "credential, scope: our account; breaker, resuming: the provider's outage; throttled: a 429's pause.",
    }),
    amountsPanel(
      {
        title: "Out of order, and pauses left",
        description: "breaker: since when it is open; pause: how long nobody calls yet after a 429.",
        unit: "s",
      },
      byProvider("satyapan_breaker_open_seconds", "breaker"),
      byProvider("satyapan_provider_pause_seconds", "pause"),
    ),
    amountsPanel(
      {
        title: "Calls at once",
        description:
          "Under way, and how many may be: few while nothing is known of the provider, more as calls go well.",
        unit: "short",
      },
      byProvider("satyapan_calls_in_flight", "under way"),
      byProvider("satyapan_calls_in_flight_limit", "limit"),
    ),
    linesPanel(
      {
        title: "Our clock and the provider's",
        description:
          "The provider's minus ours, of the worker that differs most. Eko refuses signatures of a wrong time.",
        unit: "s",
        atLeast: 1,
      },
      [
        [`max by (provider) (satyapan_clock_offset_seconds{${PROVIDERS}})`, "{{provider}} max"],
        [`min by (provider) (satyapan_clock_offset_seconds{${PROVIDERS}})`, "{{provider}} min"],
      ],
    ),
  ],
};

const QUOTA: RowSpec = {
  title: "Quota",
  panels: [
    quotaUsed({ description: "Part of each window that is used up." }),
    linesPanel(
      {
        title: "Calls left",
        description: "In windows of hours and days; and what is left in 2 hours, at the rate of the last 15 minutes.",
        unit: "short",
      },
      [
        [
          gauge("provider, window", "satyapan_quota_remaining_calls", `${PROVIDERS},window=~".*[hd]"`),
          "{{provider}} {{window}}",
        ],
        [
          `clamp_min(max by (provider, window) (predict_linear(satyapan_quota_remaining_calls{${PROVIDERS},window=~".*[hd]"}[15m], 7200)), 0)`,
          "{{provider}} {{window}} in 2 h",
        ],
        [
          gauge("provider, window", "satyapan_quota_limit_calls", `${PROVIDERS},window=~".*[hd]"`),
          "{{provider}} {{window}} limit",
        ],
      ],
    ),
    linesPanel(
      {
        title: "Share of the quota in use",
        description: "Of the shortest window: less than all of it after 429s, and learnt anew from there.",
        unit: "percentunit",
      },
      [byProvider("satyapan_quota_share_ratio")],
      { min: 0, max: 1 },
    ),
  ],
};

export const PROVIDER: readonly RowSpec[] = [CALL_FLOW, GATE, QUOTA];
