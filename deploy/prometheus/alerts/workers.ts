import type { Alert } from "./alert.ts";

/** The processes that take jobs. */
export const WORKER_ALERTS: readonly Alert[] = [
  {
    name: "NoWorker",
    expr: 'absent(up{job="worker"}) or sum(up{job="worker"}) == 0',
    for: "1m",
    severity: "page",
    layer: "worker",
    isRoot: true,
    summary: "No worker answers",
    description: "Jobs are accepted and wait; none is run, and deadlines pass.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "All workers have stopped, hang, or Prometheus cannot reach them.",
      look: ["docker compose ps worker", "docker compose logs --tail 50 worker", "satyapan doctor"],
      mend: [
        "`docker compose up -d worker`. A worker that refuses to start says in one sentence why.",
        "Where workers run and are not reached: the network of Prometheus, METRICS_HOST and METRICS_PORT.",
      ],
      over: '`up{job="worker"}` is 1, and the oldest waiting job gets younger.',
    },
  },
  {
    name: "WorkerDown",
    expr: 'up{job="worker"} == 0',
    for: "2m",
    severity: "ticket",
    layer: "worker",
    summary: "Worker {{ $labels.instance }} does not answer",
    description: "It has stopped or is frozen. The other workers carry on, and take up what it had in hand.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "The process ended or hangs. What it called when it died becomes unknown where nobody can tell.",
      look: ["docker compose ps worker", "docker compose logs --tail 50 worker", "satyapan unknown list --since 1h"],
      mend: ["Restart it: `docker compose restart worker`.", "Settle what it left unknown."],
      over: "All workers answer.",
    },
  },
  {
    name: "NoWorkerReady",
    expr: "max(satyapan_worker_ready) == 0",
    for: "1m",
    severity: "page",
    layer: "worker",
    isRoot: true,
    summary: "Workers answer, and none takes jobs",
    description: "Jobs are accepted and wait; none is run, and deadlines pass.",
    dashboard: "satyapan-workers",
    runbook: {
      means:
        "Each worker says for itself why: it lacks a key, its queue is paused, its gate cannot be read, it is shutting down.",
      look: ["curl -s http://WORKER:9464/readyz", "satyapan provider show", "satyapan doctor"],
      mend: [
        "Do what `/readyz` says: it names the cause.",
        "A queue that another tool paused: `satyapan provider resume PROVIDER`.",
      ],
      over: "`/readyz` answers 200 at one worker at least.",
    },
  },
  {
    name: "WorkerNotReady",
    expr: "satyapan_worker_ready == 0 and satyapan_keys_lacking == 0",
    for: "5m",
    severity: "ticket",
    layer: "worker",
    summary: "Worker {{ $labels.instance }} takes no jobs",
    description: "The others carry on with what it should do.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "It answers, and is not ready: outcomes it cannot write, a paused queue, a stop that hangs.",
      look: ["curl -s http://WORKER:9464/readyz", "docker compose logs --tail 50 worker"],
      mend: ["Do what `/readyz` says. Restart it only when it has no unwritten outcomes."],
      over: "Its `/readyz` answers 200.",
    },
  },
  {
    name: "KeyMissing",
    expr: "satyapan_keys_lacking == 1",
    for: "30s",
    severity: "ticket",
    layer: "worker",
    summary: "Worker {{ $labels.instance }} lacks a key that others seal with",
    description: "It takes no jobs, so that none fails for want of the key. The others carry on.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "Its SATYAPAN_ENCRYPTION_KEYS is not that of the others: a key was added on some machines only.",
      look: [
        "curl -s http://WORKER:9464/readyz",
        "satyapan keys status",
        "satyapan doctor # `keys`: how many workers lack which key",
      ],
      mend: [
        "Give it the same SATYAPAN_ENCRYPTION_KEYS as the others, and restart it.",
        "Add a new key to all workers before it seals anywhere: docs/privacy.md.",
      ],
      over: "Its `/readyz` answers 200.",
    },
  },
  {
    name: "HeartbeatLost",
    expr: "min(satyapan_heartbeat_age_seconds) > 180",
    for: "30s",
    severity: "page",
    layer: "job",
    summary: "No heartbeat has come through for {{ $value | humanizeDuration }}",
    description:
      "A job about nobody goes the whole way once a minute, and none has. Others may not get through either, though all else looks well.",
    dashboard: "satyapan-workers",
    runbook: {
      means:
        'Nobody has the duty and makes it, no worker takes it, sealing or signing it fails, or HEARTBEAT_BASE_URL does not answer `{"status":0}`.',
      look: [
        "redis-cli --scan --pattern 'satyapan:{eko-99}:job:*'",
        "docker compose logs --since 10m worker | grep -E 'eko.heartbeat|heartbeat could not be made'",
        "satyapan doctor",
      ],
      mend: [
        "No line about `eko.heartbeat`: nobody makes or takes it. See *Who does it*, and restart that worker.",
        "`unavailable` or `unknown`: what is behind HEARTBEAT_BASE_URL does not answer. Mend that; no person is affected.",
      ],
      over: "The panel *Heartbeat* is below a minute. After a refusal (403) that takes up to HOLD_PROBE, 5 min.",
    },
  },
  {
    name: "KeyRetires",
    expr: "min(satyapan_key_life_left_seconds) < 30 * 86400",
    for: "10m",
    severity: "ticket",
    layer: "data",
    summary:
      "The key that seals {{ if gt $value 0.0 }}is to be replaced within {{ $value | humanizeDuration }}{{ else }}has served its time: replace it{{ end }}",
    description: "Nothing fails when its time is over, but what is sealed is no longer as safe as was promised.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "The first key of SATYAPAN_ENCRYPTION_KEYS has wrapped for nearly KEY_LIFE.",
      look: ["satyapan keys status"],
      mend: [
        "Make one (`openssl rand -base64 32`), put it last at all workers and producers, then first, and restart them.",
        "`satyapan keys rotate`, then `satyapan keys retire OLD`, and destroy the old one: docs/privacy.md.",
      ],
      over: "`satyapan keys status` has the new key as the one that wraps.",
    },
  },
  {
    name: "ClockWrong",
    expr: "abs(satyapan_redis_clock_offset_seconds) > 2",
    for: "1m",
    severity: "ticket",
    layer: "worker",
    summary: "The clock of {{ $labels.instance }} and Redis' differ by {{ $value | humanizeDuration }}",
    description:
      "Jobs are timed by Redis' clock, so nothing is late by it; logs are, and a far-off clock spoils signatures.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "That machine, or Redis', does not keep time. Where all workers say so, it is Redis' machine.",
      look: ["timedatectl", "redis-cli time", "satyapan doctor"],
      mend: ["Set it: `timedatectl set-ntp true`."],
      over: "`satyapan doctor` there says that the clock agrees.",
    },
  },
  {
    name: "EventLoopLags",
    expr: "nodejs_eventloop_lag_p99_seconds > 0.5",
    for: "5m",
    severity: "ticket",
    layer: "worker",
    summary: "Worker {{ $labels.instance }} is held up {{ $value | humanizeDuration }} at a time (p99)",
    description: "Permits pass and calls are late while it is.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "The machine is short of CPU, or the process of memory (it collects garbage).",
      look: ["docker stats --no-stream", "uptime"],
      mend: ["Give it CPU, or lower WORKER_CONCURRENCY; run more workers elsewhere."],
      over: "p99 is below 100 ms.",
    },
  },
  {
    name: "OwnFaults",
    expr: "sum by (kind) (increase(satyapan_faults_total[10m])) > 0",
    // Longer than it takes until Redis is told of, whose refusals cost locks.
    for: "1m",
    severity: "ticket",
    layer: "worker",
    summary: "{{ printf `%.0f` $value }} faults of our own in 10 min: {{ $labels.kind }}",
    description:
      "Something in Satyapan itself broke. The job comes back; if it was called, it is not called again blindly.",
    dashboard: "satyapan-workers",
    runbook: {
      means:
        "`job`: working on one threw; `queue`: a queue's worker erred; `stopped`: nobody takes jobs any more; `record`: one could not be closed.",
      look: ['docker compose logs --since 15m worker | grep -E \'"level":"(error|fatal)"\''],
      mend: ["`stopped`: restart that worker.", "Report the line with its stack frame."],
      over: "No new ones for 10 min.",
    },
  },
  {
    name: "ClosingsUnwritten",
    expr: "sum(satyapan_closings_unwritten) > 0",
    for: "1m",
    severity: "page",
    layer: "worker",
    summary: "{{ $value | humanize }} outcomes of calls are only in workers' memory",
    description: "If such a worker dies now, they are lost and their jobs become unknown.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "Calls were made and Redis does not take how they ended.",
      look: ["satyapan doctor", "curl -s http://WORKER:9464/readyz"],
      mend: ["Make Redis take writes. Do not restart the workers."],
      over: "`satyapan_closings_unwritten` is 0 everywhere.",
    },
  },
  {
    name: "Unreadable",
    expr: "sum by (place) (increase(satyapan_unreadable_total[10m])) > 0",
    severity: "ticket",
    layer: "data",
    summary: "{{ printf `%.0f` $value }} things in Redis ({{ $labels.place }}) are not what was stored",
    description:
      "Somebody else writes into this Redis, or it was damaged. What cannot be read is put aside and called no more.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "Records, queue entries or audit entries were altered, cut off, or come from a later version.",
      look: [
        "docker compose logs --since 15m worker | grep unreadable",
        "satyapan failed list --since 1h",
        "satyapan unknown list --since 1h",
      ],
      mend: [
        "Find out who else has this Redis' password.",
        "Do not run two versions at once over an upgrade of the format.",
      ],
      over: "No new ones for 10 min.",
    },
  },
];
