import type { Alert } from "./alert.ts";

const SHOW = "satyapan provider show PROVIDER";

/** In a hard storm few calls are made: three 429s say enough. */
function throttledMore(share: number): string {
  const throttled = 'sum by (provider) (increase(satyapan_calls_total{outcome="throttled"}[5m]))';
  const all = "sum by (provider) (increase(satyapan_calls_total[5m]))";
  return `${throttled} / ${all} > ${share}\nand ${throttled} >= 3`;
}

/** The providers, and what we may ask of them. */
export const PROVIDER_ALERTS: readonly Alert[] = [
  {
    name: "ProviderHeld",
    expr: 'max by (provider, reason) (satyapan_provider_held{reason=~"credential|scope|unreadable"}) > 0',
    for: "30s",
    severity: "page",
    layer: "provider",
    isRoot: true,
    summary: "{{ $labels.provider }} refuses us: {{ $labels.reason }} is held",
    description:
      "The provider refused our credential or account (or what its gate knows cannot be read). Its jobs wait and none fails.",
    dashboard: "satyapan-provider",
    runbook: {
      means:
        "401, 403, 319, 346 or an inactive client: somebody who has the account with the provider is needed. A job probes now and then.",
      look: [SHOW, "satyapan doctor"],
      mend: [
        "Compare the credentials with the provider's portal; ask whether the IP address is still allowed and the balance positive.",
        "When it is mended: `satyapan provider resume PROVIDER` (with `--scope` for one user_code or initiator).",
      ],
      over: "`satyapan provider show` has no hold, and calls succeed.",
    },
  },
  {
    name: "BreakerOpen",
    expr: 'max by (provider) (max_over_time(satyapan_provider_held{reason=~"breaker|resuming"}[1m])) > 0',
    for: "1m",
    severity: "page",
    layer: "provider",
    isRoot: true,
    summary: "{{ $labels.provider }} is out of order",
    description:
      "Its calls fail one after the other, so only a probe goes out. Jobs wait, none fails by it, and it resumes by itself.",
    dashboard: "satyapan-provider",
    runbook: {
      means: "An outage of the provider or of the way to it: 5xx, time-outs, refused connections.",
      look: [SHOW, "satyapan doctor", "satyapan unknown list --since 30m"],
      mend: [
        "Ask the provider; see its status page. There is nothing to restart here.",
        "Calls that timed out may have happened: settle what stays unknown after the provider is back.",
      ],
      over: "`satyapan provider show` says that the breaker is closed; calls go up in a ramp.",
    },
  },
  {
    name: "ProviderPaused",
    expr: "max by (provider) (satyapan_provider_pause_seconds) > 120",
    for: "30s",
    severity: "page",
    layer: "provider",
    isRoot: true,
    summary: "{{ $labels.provider }} told us to stay away for {{ $value | humanizeDuration }} (429)",
    description:
      "Its quota is used up as the provider counts it. All its jobs wait until then, or pass their deadlines.",
    dashboard: "satyapan-provider",
    runbook: {
      means:
        "A 429 with a long Retry-After: the day's quota is gone there, though our count may still have room (somebody else uses the credential?).",
      look: [SHOW, "satyapan quota show"],
      mend: [
        "Ask the provider for more, or tell those who submit when it goes on.",
        "If the provider says that it was raised: `satyapan quota set PROVIDER …` and `satyapan provider resume PROVIDER`.",
      ],
      over: "`satyapan provider show` has no pause.",
    },
  },
  {
    name: "QuotaGone",
    expr: 'max by (provider, window) (satyapan_quota_remaining_calls{window=~".*[hd]"}) == 0',
    for: "1m",
    severity: "page",
    layer: "provider",
    isRoot: true,
    summary: "{{ $labels.provider }}'s quota {{ $labels.window }} is used up",
    description: "No call is made until the oldest ones leave the window; people who wait for an OTP do not get it.",
    dashboard: "satyapan-provider",
    runbook: {
      means: "More calls than the day or hour allows. It is our own count: the provider has not been asked beyond it.",
      look: ["satyapan quota show", SHOW],
      mend: [
        "Stop bulk work so that what comes back goes to people who wait.",
        "Ask the provider for a larger quota, then `satyapan quota set PROVIDER …`.",
      ],
      over: "`satyapan quota show` has room in that window.",
    },
  },
  {
    name: "QuotaRunsOut",
    expr: [
      'max by (provider, window) (satyapan_quota_remaining_calls{window=~".*[hd]"})',
      '/ max by (provider, window) (satyapan_quota_limit_calls{window=~".*[hd]"}) < 0.25',
      'and max by (provider, window) (predict_linear(satyapan_quota_remaining_calls{window=~".*[hd]"}[15m], 7200)) < 0',
    ].join("\n"),
    for: "1m",
    severity: "ticket",
    layer: "call",
    summary:
      "{{ $labels.provider }}'s quota {{ $labels.window }} has {{ $value | humanizePercentage }} left and ends within 2 h",
    description: "At the present rate nothing can be called then.",
    dashboard: "satyapan-provider",
    runbook: {
      means: "Calls go out faster than the window gives them back.",
      look: ["satyapan quota show", SHOW],
      mend: ["Put bulk work off, or ask the provider for a larger quota."],
      over: "The forecast on the panel *Calls left* does not reach 0.",
    },
  },
  {
    name: "Throttled",
    expr: throttledMore(0.05),
    // In a storm this share is passed before that of ThrottledHard: the page comes first, and this is silent beside it.
    for: "3m",
    severity: "ticket",
    layer: "provider",
    summary: "{{ $labels.provider }} answers {{ $value | humanizePercentage }} of calls with 429",
    description:
      "The quota set here is larger than the one the provider allows, or somebody else uses the same credential.",
    dashboard: "satyapan-provider",
    runbook: {
      means: "Each 429 pauses the credential and lowers the share that is used. No job fails by it.",
      look: ["satyapan quota show", SHOW],
      mend: [
        "Lower EKO_QUOTA or DEEPVUE_QUOTA, at once with `satyapan quota set PROVIDER …`.",
        "Find out who else uses the credential.",
      ],
      over: "No 429 for 10 min, and *Share of the quota in use* is back at 100 %.",
    },
  },
  {
    name: "ThrottledHard",
    expr: throttledMore(0.5),
    for: "1m",
    severity: "page",
    layer: "provider",
    isRoot: true,
    summary: "{{ $labels.provider }} answers {{ $value | humanizePercentage }} of calls with 429",
    description:
      "Hardly anything gets through; all its jobs wait. Somebody else uses the credential, or the quota set here is far too large.",
    dashboard: "satyapan-provider",
    runbook: {
      means:
        "A storm of 429s: each pauses the credential for longer, and the share of the quota that is used goes down to a twentieth.",
      look: [SHOW, "satyapan quota show"],
      mend: [
        "Find out who else uses the credential: another environment, a script, an older deployment.",
        "Ask the provider which quota it counts, and set that: `satyapan quota set PROVIDER …`.",
        "When it is mended, `satyapan provider resume PROVIDER` lifts the share at once.",
      ],
      over: "No 429 for 10 min, and *Share of the quota in use* is back at 100 %.",
    },
  },
  {
    name: "ProviderSlow",
    expr: [
      "histogram_quantile(0.5, sum by (le, provider) (rate(satyapan_call_duration_seconds_bucket[5m]))) > 3",
      "and sum by (provider) (increase(satyapan_call_duration_seconds_count[5m])) > 5",
    ].join("\n"),
    for: "1m",
    severity: "ticket",
    layer: "provider",
    summary: "Half of {{ $labels.provider }}'s calls take longer than {{ $value | humanizeDuration }}",
    description: "People wait longer for their OTP, and fewer calls get through at once.",
    dashboard: "satyapan-provider",
    runbook: {
      means:
        "The provider is slow; usual are 0.1 to 2 s. Time-outs begin at CALL_TIMEOUT (30 s), and those become unknown.",
      look: [SHOW, "satyapan doctor"],
      mend: ["Ask the provider. Do not shorten CALL_TIMEOUT: a call that is cut off may have happened."],
      over: "The median is below 2 s.",
    },
  },
  {
    name: "ProviderClockDiffers",
    // A worker whose own clock is wrong has its own alert.
    expr: "max by (provider) (abs(satyapan_clock_offset_seconds) and on (instance) abs(satyapan_redis_clock_offset_seconds) < 2) > 30",
    for: "1m",
    severity: "ticket",
    layer: "call",
    summary: "Our clock and {{ $labels.provider }}'s differ by {{ $value | humanizeDuration }}",
    description: "Eko refuses signatures of a wrong time. Workers sign by the provider's clock where they know it.",
    dashboard: "satyapan-provider",
    runbook: {
      means: "A worker's machine does not keep time, or the provider's does not.",
      look: ["satyapan doctor", "timedatectl"],
      mend: ["Set the clock: `timedatectl set-ntp true`."],
      over: "`satyapan doctor` says that the provider's clock agrees.",
    },
  },
  {
    name: "QueuePaused",
    expr: 'max by (provider) (satyapan_provider_held{reason="paused"}) > 0',
    for: "5m",
    severity: "ticket",
    layer: "provider",
    summary: "{{ $labels.provider }}'s queue is paused",
    description: "Somebody paused it with another tool; nobody takes its jobs.",
    dashboard: "satyapan-provider",
    runbook: {
      means: "BullMQ's `pause()` was called: we never do.",
      look: [SHOW],
      mend: ["`satyapan provider resume PROVIDER`"],
      over: "`satyapan provider show` does not say paused.",
    },
  },
];
