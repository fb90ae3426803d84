import { type Alert, ofProvider } from "./alert.ts";

/** Jobs that wait, end badly, or wait for somebody's decision. */
export const JOB_ALERTS: readonly Alert[] = [
  {
    name: "OldestWaiting",
    // Half an hour: bulk jobs wait for the provider's quota, and may.
    expr: ofProvider("max by (queue) (satyapan_queue_oldest_waiting_seconds) > 1800"),
    for: "5m",
    severity: "ticket",
    layer: "job",
    summary: "A job of {{ $labels.provider }} has waited {{ $value | humanizeDuration }}",
    description: "More work than the quota allows, or too few workers.",
    dashboard: "satyapan-overview",
    runbook: {
      means: "The panel *Waiting by cause* says whether it is the quota, the provider, or workers.",
      look: ["satyapan quota show", "satyapan provider show", "satyapan explain ID"],
      mend: ["quota: put bulk work off or ask for more. worker: start more workers."],
      over: "The oldest waiting job is younger than half an hour.",
    },
  },
  {
    name: "JobsUnknown",
    expr: ofProvider('max by (queue) (satyapan_jobs_undecided{state="unknown"}) > 0'),
    for: "30s",
    severity: "ticket",
    layer: "data",
    summary: "{{ $value | humanize }} jobs of {{ $labels.provider }} wait for somebody to say what became of them",
    description:
      "Their calls may have happened: nobody is told success or failure, and none is sent again, before they are settled.",
    dashboard: "satyapan-overview",
    runbook: {
      means: "Time-outs, resets, replies that cannot be read, or a worker that died between request and reply.",
      look: ["satyapan unknown list", "satyapan show ID"],
      mend: [
        "Ask the provider by the client_ref_id of each, or for all at once.",
        "`satyapan settle ID succeeded|rejected|resend --reason TEXT`; many that are alike: first with `--all-like --dry-run`, then with `--all-like`.",
      ],
      over: "`satyapan unknown list` is empty. The alert stays until then.",
    },
  },
  {
    name: "JobsFail",
    expr: [
      'sum by (provider) (label_replace(increase(satyapan_jobs_settled_total{state="failed"}[15m]), "provider", "$1", "operation", "([a-z]+)[.].*"))',
      '/ sum by (provider) (label_replace(increase(satyapan_jobs_settled_total[15m]), "provider", "$1", "operation", "([a-z]+)[.].*")) > 0.05',
      'and sum by (provider) (label_replace(increase(satyapan_jobs_settled_total{state="failed"}[15m]), "provider", "$1", "operation", "([a-z]+)[.].*")) >= 3',
    ].join("\n"),
    for: "1m",
    severity: "ticket",
    layer: "job",
    summary: "{{ $value | humanizePercentage }} of {{ $labels.provider }}'s jobs fail for good",
    description:
      "Their attempts are used up. The persons are not at fault, and get nothing unless somebody tries them again.",
    dashboard: "satyapan-overview",
    runbook: {
      means:
        "CALL_ATTEMPTS failures each, or jobs that cannot be called at all (their reason begins with an error's code).",
      look: ["satyapan failed list --since 1h"],
      mend: ["Mend the cause, then `satyapan failed retry --since 1h --dry-run`, then without `--dry-run`."],
      over: "`satyapan failed list` is empty, or what is in it is dropped.",
    },
  },
  {
    name: "WrongOtps",
    expr: [
      'sum by (provider, operation) (increase(satyapan_calls_total{operation=~".+[.]verify",outcome="rejected"}[15m]))',
      '/ sum by (provider, operation) (increase(satyapan_calls_total{operation=~".+[.]verify"}[15m])) > 0.3',
      'and sum by (provider, operation) (increase(satyapan_calls_total{operation=~".+[.]verify",outcome="rejected"}[15m])) >= 10',
    ].join("\n"),
    for: "1m",
    severity: "ticket",
    layer: "call",
    summary: "{{ $value | humanizePercentage }} of codes given to {{ $labels.operation }} are refused",
    description: "People type wrong codes, codes come too late, or somebody guesses. Usual is below one in ten.",
    dashboard: "satyapan-overview",
    runbook: {
      means:
        "Three causes: SMS that arrive after the next one was sent, a form that mixes codes of two people up, an attack.",
      look: ["satyapan operations OPERATION", "satyapan show ID"],
      mend: [
        "See *Success by response_status_id*: 302 is a wrong, 303 an expired code.",
        "Expired: ask the provider how late SMS are. Wrong: look at the newest release of whoever submits. An attack: stop that client.",
      ],
      over: "The share is below 10 % again.",
    },
  },
  {
    name: "BatchMiscounted",
    expr: "max(satyapan_batch_rows_miscounted) > 0",
    for: "5m",
    severity: "ticket",
    layer: "data",
    summary: "The counts of a batch do not add up: {{ $value | humanize }} rows",
    description:
      "Rows are counted twice or not at all, so what the batch's report says is not to be trusted. No call is made because of it.",
    dashboard: "satyapan-batches",
    runbook: {
      means: "A fault of ours, or somebody changed a batch's keys in Redis.",
      look: ["satyapan batch show ID", "docker compose logs --since 1h worker | grep batch"],
      mend: ["Compare its results, row by row, with its counts, and report the difference."],
      over: "`satyapan_batch_rows_miscounted` is 0: an hour after the batch's end, if its counts stay as they are.",
    },
  },
  {
    name: "RetentionOverdue",
    expr: "max by (queue) (satyapan_retention_overdue_seconds) > 300",
    for: "2m",
    severity: "ticket",
    layer: "data",
    summary: "Something in {{ $labels.queue }} should have been ended or destroyed {{ $value | humanizeDuration }} ago",
    description: "Sealed values are kept longer than promised, or jobs past their deadline are still open.",
    dashboard: "satyapan-overview",
    runbook: {
      means: "No worker has the duty, or a record is broken so that the reaper cannot take it.",
      look: ["docker compose logs worker | grep reaper", "satyapan doctor"],
      mend: ["Start a worker; delete a broken record after you have seen what it is."],
      over: "`satyapan_retention_overdue_seconds` is 0.",
    },
  },
  {
    name: "PrivacyFindings",
    expr: "max by (place) (satyapan_privacy_findings) > 0",
    severity: "page",
    layer: "data",
    summary: "Personal numbers or secrets in clear in {{ $labels.place }}: {{ $value | humanize }}",
    description:
      "Something that looks like an Aadhaar number, or a secret of ours, is where it must not be. It is in the AOF and in backups, too.",
    dashboard: "satyapan-overview",
    runbook: {
      means: "Somebody put personal data into an id, a reason or a key, or another program writes into this Redis.",
      look: ["satyapan scan", "docker compose logs worker | grep 'in clear'"],
      mend: [
        "Find who wrote it by the masked place, and stop them.",
        "Delete it, rewrite the AOF (`redis-cli bgrewriteaof`), and deal with backups: docs/privacy.md. It may have to be reported.",
      ],
      over: "`satyapan scan` finds nothing.",
    },
  },
  {
    name: "AuditBroken",
    expr: "sum(increase(satyapan_audit_broken_total[10m])) > 0",
    severity: "page",
    layer: "data",
    summary: "The audit log is not as it was written",
    description: "Somebody changed, cut or replaced entries, or its files were damaged. No worker starts on it.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "The chain of hashes does not hold.",
      look: ["satyapan audit verify"],
      mend: ["Copy the files before anything else. `audit verify` names the entry; docs/audit.md says how to go on."],
      over: "`satyapan audit verify` says that all is as it was written.",
    },
  },
  {
    name: "AuditBehind",
    expr: "max(satyapan_audit_backlog_entries) > 1000 or max(satyapan_audit_file_age_seconds) > 300",
    for: "5m",
    severity: "ticket",
    layer: "data",
    summary: "The audit log lags behind: {{ $value | humanize }}",
    description: "Entries wait in Redis to be chained or written to files; they are not lost.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "No worker has the duty, its disk is full, or AUDIT_DIR cannot be written.",
      look: ["docker compose logs worker | grep audit", "df -h"],
      mend: ["Free the disk; give the folder to the worker's user."],
      over: "The backlog is 0.",
    },
  },
];
