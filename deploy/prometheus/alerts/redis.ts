import type { Alert } from "./alert.ts";

const DOCTOR = "satyapan doctor";

/** Redis holds all jobs: where it is away or full, nothing goes on. */
export const REDIS_ALERTS: readonly Alert[] = [
  {
    name: "RedisDown",
    expr: "max(satyapan_redis_up) == 0",
    for: "30s",
    severity: "page",
    layer: "redis",
    isRoot: true,
    summary: "No worker reaches Redis",
    description:
      "Nothing can be submitted and nothing is called. Calls under way are finished and their outcomes kept in memory.",
    dashboard: "satyapan-workers",
    runbook: {
      means:
        "Redis has stopped, is loading its data, or the network to it is cut. Workers wait and go on by themselves.",
      look: ["docker compose ps redis", "docker compose logs --tail 50 redis", DOCTOR],
      mend: [
        "Start it again with its volume: `docker compose up -d redis`. A large AOF takes a minute to load.",
        "Do not restart the workers: they hold outcomes that Redis has not taken yet.",
        "Where its disk is full, make room first: it does not start otherwise.",
      ],
      over: "`satyapan doctor` says `ok` of redis, `/readyz` of each worker answers 200, the oldest waiting job gets younger.",
    },
  },
  {
    name: "RedisRefusesWrites",
    expr: "max(satyapan_redis_up) == 1 and max(satyapan_redis_writable) == 0",
    for: "30s",
    severity: "page",
    layer: "redis",
    isRoot: true,
    summary: "Redis answers, and takes no writes",
    description:
      "Nothing can be submitted and nothing is called. It is full (OOM), a replica (READONLY), or short of replicas.",
    dashboard: "satyapan-workers",
    runbook: {
      means:
        "A write is refused. The word says why: OOM: memory is full; READONLY: a replica answers; MISCONF: its disk fails; NOREPLICAS: too few replicas.",
      look: [DOCTOR, "docker compose logs --tail 50 worker | grep -i refuse", "redis-cli info memory"],
      mend: [
        "OOM: raise it at once, `redis-cli config set maxmemory 2gb`, and in docker-compose.yml (REDIS_MAXMEMORY); then shorten RECORD_RETENTION.",
        "READONLY: let REDIS_URL name the sentinels or the Cluster, or the master.",
        "MISCONF: free the disk; Redis takes writes again by itself.",
        "NOREPLICAS: bring the replica back.",
      ],
      over: "`satyapan_redis_writable` is 1 and `satyapan_closings_unwritten` 0 at every worker.",
    },
  },
  {
    name: "RedisFillsUp",
    expr: "max(satyapan_redis_memory_bytes) / max(satyapan_redis_memory_limit_bytes) > 0.8",
    for: "1m",
    severity: "ticket",
    layer: "redis",
    summary: "Redis uses {{ $value | humanizePercentage }} of its memory",
    description: "When it is full, new jobs are refused and nothing more is called.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "More jobs and records than there is room for. Records stay for RECORD_RETENTION after a job's end.",
      look: [DOCTOR, "redis-cli info memory", "satyapan unknown list --limit 1"],
      mend: [
        "Raise maxmemory (REDIS_MAXMEMORY), or shorten RECORD_RETENTION: docs/deployment.md has the formula.",
        "Do not delete keys by hand, and never change maxmemory-policy: it must stay noeviction.",
      ],
      over: "The share is below 80 %, and `satyapan doctor` says `ok` of redis memory.",
    },
  },
  {
    name: "RedisEvicts",
    expr: "min(satyapan_redis_noeviction) == 0 or max(satyapan_redis_evicted_keys_total) > 0",
    severity: "page",
    layer: "data",
    summary: "Redis may throw jobs away",
    description:
      "Its maxmemory-policy is not noeviction: when it is full, jobs, locks and journals disappear without a word.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "Somebody changed the policy, or this is a Redis meant as a cache.",
      look: ["redis-cli config get maxmemory-policy", "redis-cli info stats | grep evicted_keys", DOCTOR],
      mend: [
        "`redis-cli config set maxmemory-policy noeviction`, and in its configuration, at once.",
        "Where keys were evicted, jobs may be gone: producers submit theirs again with the same ids, which doubles none.",
      ],
      over: "`satyapan_redis_noeviction` is 1. The count of evicted keys goes to 0 only when Redis restarts.",
    },
  },
  {
    name: "RedisDataLost",
    expr: "sum(increase(satyapan_redis_data_lost_total[15m])) > 0",
    severity: "page",
    layer: "data",
    summary: "Redis lost its data",
    description:
      "Jobs that were in it are gone. Workers brought quotas back, and take short windows for full so that nobody is called twice.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "Redis was restarted without its AOF, flushed, or another empty server answers.",
      look: [DOCTOR, "docker compose logs worker | grep 'lost its data'", "redis-cli info persistence"],
      mend: [
        "If the AOF still exists, stop the workers, put it back and start Redis with it.",
        "Else producers submit again what was not settled, with the same ids.",
        "Set a quota that was set by hand again: `satyapan quota set PROVIDER …` (the log says which).",
      ],
      over: "Producers have submitted again, and `satyapan quota show` has the quotas that you want.",
    },
  },
  {
    name: "RedisNotPersisting",
    expr: "min(satyapan_redis_persists) == 0",
    for: "5m",
    severity: "ticket",
    layer: "data",
    summary: "Redis does not write what it accepted to disk",
    description: "A restart of Redis now would lose accepted jobs.",
    dashboard: "satyapan-workers",
    runbook: {
      means: "No AOF (appendonly no), or the last write to it failed.",
      look: ["redis-cli info persistence", "df -h", DOCTOR],
      mend: ["`redis-cli config set appendonly yes`, and in its configuration.", "Free its disk where writing failed."],
      over: "`satyapan_redis_persists` is 1.",
    },
  },
  {
    name: "RedisSlow",
    expr: "min(satyapan_redis_write_seconds) > 0.1",
    for: "5m",
    severity: "ticket",
    layer: "redis",
    summary: "A write to Redis takes {{ $value | humanizeDuration }}",
    description: "Every call needs two round trips: all of them are late by that.",
    dashboard: "satyapan-workers",
    runbook: {
      means:
        "Redis' machine is busy, its disk is slow (appendfsync always), a command takes long, or the network does.",
      look: ["redis-cli slowlog get 10", "redis-cli --latency-history -i 5", "redis-cli info commandstats"],
      mend: ["Give it a core of its own and a faster disk.", "Stop whoever runs KEYS or long scripts on it."],
      over: "The panel *Redis: a real write* is below 20 ms.",
    },
  },
];
