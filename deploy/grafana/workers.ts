import {
  amountsPanel,
  linesPanel,
  LANE_OVERRIDES,
  lowIsGood,
  numberPanel,
  override,
  timelinePanel,
  WHOLE_IS_GOOD,
  ZERO_IS_GOOD,
} from "./looks.ts";
import type { RowSpec } from "./panel.ts";
import { INSTANCES, ofEach, perSecond, quantile } from "./queries.ts";

const GLANCE: RowSpec = {
  title: "At a glance",
  panels: [
    numberPanel(
      { title: "Workers that answer", description: "Of those that Prometheus knows.", unit: "percentunit" },
      WHOLE_IS_GOOD,
      'avg(up{job="worker"})',
    ),
    numberPanel(
      { title: "Redis answers", description: "As the workers see it; no data: no worker tells.", unit: "percentunit" },
      WHOLE_IS_GOOD,
      "avg(satyapan_redis_up)",
    ),
    numberPanel(
      { title: "Redis takes writes", description: "A real write of each worker.", unit: "percentunit" },
      WHOLE_IS_GOOD,
      "avg(satyapan_redis_writable)",
    ),
    numberPanel(
      { title: "Redis' memory", description: "Of its maxmemory. Full, it refuses jobs.", unit: "percentunit" },
      lowIsGood(0.7, 0.8),
      "max(satyapan_redis_memory_bytes) / max(satyapan_redis_memory_limit_bytes)",
    ),
    numberPanel(
      {
        title: "Outcomes not written",
        description: "How calls ended that Redis has not taken yet. Do not restart their workers.",
        unit: "short",
      },
      ZERO_IS_GOOD,
      "sum(satyapan_closings_unwritten)",
    ),
    numberPanel(
      { title: "Own faults", description: "In the time range, of all kinds.", unit: "short" },
      ZERO_IS_GOOD,
      "sum(increase(satyapan_faults_total[$__range]))",
    ),
  ],
};

const WORKERS: RowSpec = {
  title: "Workers",
  panels: [
    timelinePanel(
      {
        title: "Takes jobs",
        description: "Each worker, as its /readyz says. `curl /readyz` there tells why not.",
        unit: "short",
      },
      ofEach("satyapan_worker_ready"),
      ["no", "yes"],
    ),
    linesPanel(
      {
        title: "Pickup by lane, p99",
        description:
          "From when a job could be called to when a worker took it; all providers. Interactive: a person is waiting.",
        unit: "s",
        thresholds: [
          { value: null, color: "green" },
          { value: 5, color: "red" },
        ],
      },
      [[quantile(0.99, "lane", "satyapan_job_pickup_seconds", INSTANCES), "{{lane}}"]],
      {},
      LANE_OVERRIDES,
    ),
    amountsPanel(
      {
        title: "Event loop, p99",
        description: "How long a worker is held up at a time. Over 0.5 s permits pass unused.",
        unit: "s",
        thresholds: [
          { value: null, color: "green" },
          { value: 0.5, color: "red" },
        ],
      },
      ofEach("nodejs_eventloop_lag_p99_seconds"),
    ),
    amountsPanel(
      { title: "Memory", description: "Resident, of each worker.", unit: "bytes" },
      ofEach("process_resident_memory_bytes"),
    ),
    amountsPanel(
      { title: "CPU", description: "Cores in use, of each worker: one is all that a process can use.", unit: "short" },
      [perSecond("instance", "process_cpu_seconds_total", INSTANCES), "{{instance}}"],
    ),
    amountsPanel(
      {
        title: "Faults of our own, and unreadable things",
        description:
          "Per second. Faults: see the log's errors. Unreadable: what Redis gives back is not what was stored.",
        unit: "ops",
      },
      [perSecond("kind", "satyapan_faults_total", INSTANCES), "{{kind}}"],
      [perSecond("place", "satyapan_unreadable_total", INSTANCES), "unreadable {{place}}"],
    ),
    amountsPanel(
      {
        title: "Late truths, and keys that lack",
        description: "Calls whose worker was taken for lost and told how they ended after all; workers without a key.",
        unit: "short",
      },
      [`sum(increase(satyapan_calls_corrected_total{${INSTANCES}}[$__rate_interval]))`, "late truths"],
      [`sum(satyapan_keys_lacking{${INSTANCES}})`, "workers that lack a key"],
    ),
    linesPanel(
      {
        title: "Clocks",
        description: "Redis' minus each worker's. All is timed by Redis'; logs and signatures are not.",
        unit: "s",
        atLeast: 1,
      },
      [ofEach("satyapan_redis_clock_offset_seconds")],
    ),
  ],
};

const DUTY: RowSpec = {
  title: "What one worker does for all",
  panels: [
    amountsPanel(
      {
        title: "Who does it",
        description:
          "One worker feeds batches, reaps and measures for all. 0 for long: nobody does; more than 1: see the log.",
        unit: "short",
      },
      ofEach("satyapan_duty_held"),
    ),
    amountsPanel(
      {
        title: "Heartbeat",
        description:
          "Since a job about nobody went the whole way, once a minute; and how long it took. No data: HEARTBEAT_BASE_URL is not set.",
        unit: "s",
      },
      ["max(satyapan_heartbeat_age_seconds)", "age"],
      ["max(satyapan_heartbeat_seconds)", "took"],
    ),
    amountsPanel(
      {
        title: "Key life left",
        description:
          "Until the key that wraps data keys now has served KEY_LIFE: put a new one first before, docs/privacy.md.",
        unit: "s",
      },
      ["min(satyapan_key_life_left_seconds)", "left"],
    ),
    {
      type: "table",
      title: "Versions",
      description: "Workers by the versions of Satyapan and Node that they run.",
      unit: "short",
      w: 12,
      h: 8,
      instant: true,
      queries: [[`count by (version, node) (satyapan_build_info{${INSTANCES}})`, ""]],
      transformations: [
        { id: "organize", options: { excludeByName: { Time: true }, renameByName: { Value: "workers" } } },
      ],
      options: { showHeader: true, cellHeight: "sm" },
      overrides: [override("workers", { decimals: 0 })],
    },
  ],
};

const REDIS: RowSpec = {
  title: "Redis",
  panels: [
    timelinePanel(
      { title: "Redis, as each worker sees it", description: "Whether it takes a real write.", unit: "short" },
      ofEach("satyapan_redis_writable"),
      ["no", "yes"],
    ),
    amountsPanel(
      { title: "Redis: a real write", description: "To its answer. Each call needs two such round trips.", unit: "s" },
      ofEach("satyapan_redis_write_seconds"),
    ),
    amountsPanel(
      { title: "Redis: memory", description: "Used, and its maxmemory (or the machine's).", unit: "bytes" },
      ["max(satyapan_redis_memory_bytes)", "used"],
      ["max(satyapan_redis_memory_limit_bytes)", "limit"],
    ),
    amountsPanel({ title: "Redis: commands", description: "Per second, of all clients.", unit: "ops" }, [
      "max(rate(satyapan_redis_commands_total[$__rate_interval]))",
      "commands",
    ]),
    amountsPanel(
      { title: "Redis: refusals", description: "Per second, by the first word of its answer.", unit: "ops" },
      [perSecond("word", "satyapan_redis_refusals_total", INSTANCES), "{{word}}"],
    ),
    amountsPanel(
      {
        title: "Redis: connections, evictions, losses",
        description: "Evictions and losses of data must be 0.",
        unit: "short",
      },
      ["max(satyapan_redis_clients)", "connections"],
      ["max(satyapan_redis_evicted_keys_total)", "evicted keys"],
      ["sum(increase(satyapan_redis_data_lost_total[$__range]))", "losses of data"],
    ),
    timelinePanel(
      {
        title: "Redis: safe",
        description: "noeviction: it throws nothing away; persists: what it accepted is on disk.",
        unit: "short",
      },
      [
        'label_replace(min(satyapan_redis_noeviction), "what", "noeviction", "", "") or label_replace(min(satyapan_redis_persists), "what", "persists", "", "")',
        "{{what}}",
      ],
      ["no", "yes"],
    ),
    amountsPanel({ title: "Redis: role", description: "Of the server that workers write to: master.", unit: "short" }, [
      "max by (role) (satyapan_redis_role)",
      "{{role}}",
    ]),
  ],
};

const AUDIT: RowSpec = {
  title: "Audit log",
  panels: [
    amountsPanel({ title: "Audit backlog", description: "Entries that wait to be chained.", unit: "short" }, [
      "max(satyapan_audit_backlog_entries)",
      "waiting",
    ]),
    amountsPanel(
      {
        title: "Audit: entries, files and faults",
        description: "Entries per minute; age of the files; how often the log was found broken.",
        unit: "short",
      },
      ["sum(rate(satyapan_audit_entries_total[$__rate_interval])) * 60", "entries per minute"],
      ["max(satyapan_audit_file_age_seconds)", "files' age, s"],
      ["sum(increase(satyapan_audit_broken_total[$__range]))", "found broken"],
    ),
  ],
};

const TRACES: RowSpec = {
  title: "Traces",
  panels: [
    linesPanel(
      {
        title: "Spans",
        description:
          "Per second. Dropped: too many waited (full), the collector did not take them (failed), or nobody knew whose they are.",
        unit: "ops",
      },
      [
        ["sum(rate(satyapan_spans_exported_total[$__rate_interval]))", "exported"],
        [perSecond("reason", "satyapan_spans_dropped_total", INSTANCES), "dropped: {{reason}}"],
      ],
      { min: 0 },
    ),
  ],
};

export const WORKERS_AND_REDIS: readonly RowSpec[] = [GLANCE, WORKERS, DUTY, REDIS, AUDIT, TRACES];
