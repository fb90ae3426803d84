import { type Alert, ofProvider } from "./alert.ts";

const ROWS_WAIT = 'max by (queue) (satyapan_batch_rows{state="waiting"}) > 0';

/** That ended so in half an hour: `sent` ones may still be answered. */
function otps(events: string): string {
  const counted = `increase(satyapan_challenges_total{event=~"${events}"}[30m])`;
  return `sum by (provider, operation) (label_replace(${counted}, "provider", "$1", "operation", "([a-z]+)[.].*"))`;
}

/** Batches, and the persons who are waited for. */
export const BATCH_ALERTS: readonly Alert[] = [
  {
    name: "BatchStopped",
    expr: ofProvider('max by (queue) (satyapan_batches_open{state="stopped"}) > 0'),
    for: "1m",
    severity: "ticket",
    layer: "job",
    summary: "{{ $value | humanize }} batches of {{ $labels.provider }} stopped by themselves",
    description: "Too many of their rows failed or were rejected. No further row is called until somebody says so.",
    dashboard: "satyapan-batches",
    runbook: {
      means:
        "More than `--stop-at` (30 %) of a batch's rows, from a hundred on, came to nothing: a wrong file, a wrong setting, or a provider in trouble.",
      look: [
        "satyapan batch list",
        "satyapan batch show BATCH",
        "satyapan batch results BATCH --only rejected,failed --format csv | head -20",
      ],
      mend: [
        "A wrong file: `satyapan batch cancel BATCH --reason TEXT`, and submit it mended.",
        "A provider or a setting that is well again: `satyapan batch resume BATCH`. It counts anew from there; `satyapan failed retry --since 2h` brings back the rows that failed.",
      ],
      over: "`satyapan batch list` shows none that is `stopped`.",
    },
  },
  {
    name: "FeederStopped",
    expr: ofProvider(
      [
        `(${ROWS_WAIT} and max by (queue) (satyapan_feeder_lag_seconds) > 60`,
        `or ${ROWS_WAIT} and on () sum(satyapan_duty_held) == 0)`,
      ].join("\n"),
    ),
    for: "1m",
    severity: "page",
    layer: "worker",
    summary: "Nobody hands over {{ $labels.provider }}'s batches: {{ $value | humanize }} rows wait",
    description:
      "Batches stand still, and so may onboardings: the worker that does this for all is stuck, or none does it. Single jobs go on.",
    dashboard: "satyapan-batches",
    runbook: {
      means:
        "No worker holds the duty (a lease in Redis), or the one that does fails at each look at the batches: its log says why.",
      look: [
        "redis-cli pttl 'satyapan:{workers}:lease'",
        "satyapan doctor # `duty`: whether any worker has it",
        "docker compose logs --since 15m worker | grep -E 'feeder|what one worker does for all'",
        "satyapan batch list",
      ],
      mend: [
        "`docker compose restart worker`: another takes the duty within 5 s.",
        "If its log repeats one fault for one batch, `satyapan batch pause BATCH` and report the line.",
      ],
      over: "*Who does it* (dashboard Workers and Redis) is 1 at one worker, and *The feeder's lag* is below 3 s where batches run.",
    },
  },
  {
    name: "ChallengesExpire",
    expr: [`${otps("expired")} / ${otps("verified|spent|expired")} > 0.5`, `and ${otps("expired")} >= 10`].join("\n"),
    for: "5m",
    severity: "ticket",
    layer: "job",
    summary: "{{ $value | humanizePercentage }} of the codes of {{ $labels.operation }} are answered by nobody",
    description: "Persons get codes that nobody asks them for, or none at all. Each costs an SMS, and a try of three.",
    dashboard: "satyapan-batches",
    runbook: {
      means:
        "A batch sends more codes than there are operators to ask for them; SMS do not arrive; or whoever collects the codes does not hand them on.",
      look: ["satyapan batch list", "satyapan top --once", "satyapan onboard list"],
      mend: [
        "A batch: pause it (`satyapan batch pause BATCH`), and let as many codes be open as there are people to ask for them.",
        "SMS that do not arrive: ask the provider, with the client_ref_id of one (`satyapan show ID`).",
      ],
      over: "Fewer than half of the OTPs that end in 30 minutes are answered by nobody: *Answered* is above 50 %.",
    },
  },
  {
    name: "OnboardingStuck",
    expr: ofProvider(
      [
        "(max by (queue) (satyapan_onboarding_lag_seconds) > 120",
        'or max by (queue) (satyapan_onboarding_unmoved_seconds{lane="interactive"}) > 900)',
      ].join("\n"),
    ),
    for: "2m",
    severity: "ticket",
    layer: "job",
    summary: "An onboarding of {{ $labels.provider }} has not moved for {{ $value | humanizeDuration }}",
    description: "A person waits for the next step, and nothing is done about it.",
    dashboard: "satyapan-batches",
    runbook: {
      means:
        "Its step's job waits (the quota, a hold, no worker), or whoever takes onboardings on fails at this one: its log says why.",
      look: [
        "satyapan doctor # `onboardings`: which one should have been taken on",
        "satyapan onboard show ID",
        "satyapan explain ONBOARDING-STEP",
        "docker compose logs --since 15m worker | grep 'onboardings were not looked at'",
      ],
      mend: [
        "Where its job waits, do what `explain` says.",
        "Where the log says `unknown-flow`, a newer version began it: bring that up at the workers.",
        "One that cannot go on: `satyapan onboard cancel ID --reason TEXT`, and report the log's line.",
      ],
      over: "The panel *Onboardings that stand still* falls below two minutes.",
    },
  },
];
