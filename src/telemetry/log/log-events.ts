import { each, rarely } from "./log-event.ts";

/**
 * Everything that the log may say, by its fixed message. `docs/logs.md` is made of it. `error`: somebody has to look today;
 * `warn`: it mends itself, or is to be mended when there is time; `info`: it went on; `debug`: for whoever looks into a worker.
 */
export const LOG_EVENTS = {
  // The process.
  "worker ready": each("info", ["providers", "redis", "metrics_port"], "Jobs are taken from now on."),
  "worker stopping": each("info", ["grace_ms"], "No more jobs are taken; calls under way get their grace."),
  "worker stopped": each("info", ["clean"], "The last line of a worker that was told to stop."),
  "a fault of our own: calls in flight get their grace, then the worker ends": each(
    "fatal",
    ["err"],
    "An error that nobody caught. The process ends with exit code 1 and has to be started again.",
  ),
  "clear values may leave this process": each(
    "warn",
    ["exposure"],
    "A debugger, a dump or debug output could show what is sealed elsewhere. How to mend it is in `detail`.",
  ),
  "metrics server": rarely("warn", ["err"], ["err"], "A scrape or a probe could not be accepted; the server goes on."),

  // Jobs.
  "attempt finished": each(
    "info",
    ["job", "operation", "attempt", "outcome", "client_ref_id", "state", "reason", "trace_id?"],
    "A call, or what was to be one, has ended, and its outcome is in the journal.",
  ),
  "attempt was closed by another worker": rarely(
    "warn",
    ["job", "operation", "attempt", "outcome", "answer"],
    ["answer"],
    "This worker was taken for lost; what it brings changes nothing any more.",
  ),
  "job expired": each(
    "info",
    ["job", "operation", "state"],
    "Its deadline came first: it is not called, or not again (`unknown`: an earlier send of it may have happened).",
  ),
  "job waits": each(
    "debug",
    ["job", "cause", "until"],
    "The gate did not let it through; `satyapan explain` says why.",
  ),
  "job without a record dropped": rarely(
    "warn",
    ["job"],
    [],
    "The queue had an entry of which no record is known. Was Redis restored from a backup?",
  ),
  "record that cannot be read: job parked": rarely(
    "error",
    ["job", "code", "state", "reason"],
    ["reason"],
    "The job ended as `failed`, or as `unknown` where it may have been called: see the runbook `unreadable`.",
  ),
  "job threw": rarely(
    "error",
    ["err", "queue", "job"],
    ["queue", "err"],
    "A fault of ours, or Redis refused a step of it. The job is tried again.",
  ),
  "record of a given-up job could not be closed": rarely(
    "error",
    ["err", "queue", "job"],
    ["queue", "err"],
    "Faults of ours came again and again, and then Redis refused to say so: the reaper ends it at its deadline.",
  ),
  "the provider's deadline of an OTP is past or far ahead: our own default counts instead": each(
    "warn",
    ["operation", "ms_from_now"],
    "What the provider says about how long its code is good cannot be true. Once for each operation and process.",
  ),
  "jobs without an entry in their queue: queued again": rarely(
    "warn",
    ["queue", "job", "jobs"],
    ["queue"],
    "Nothing carried them any more: another tool removed their entries, or Redis forgot them. `job` is one of them; none is lost.",
  ),
  "ticket lost: its jobs are queued again": rarely(
    "warn",
    ["queue", "ticket", "jobs"],
    ["queue"],
    "A BullMQ job that carried ids was gone: none of its jobs is lost.",
  ),
  "outcomes cannot be written; they are kept and no further job is taken": rarely(
    "error",
    ["redis"],
    ["redis"],
    "Replies came that Redis does not take: see the runbook `closings-unwritten`.",
  ),
  "outcomes are written again": rarely("info", [], [], "All of them are; jobs are taken again."),
  "outcome lost: it could not be written; the job will be unknown": each(
    "error",
    ["job", "attempt", "client_ref_id", "outcome", "err"],
    "The worker had to end before Redis took it. Settle the job by what stands here.",
  ),

  // Queues.
  "worker error": rarely("warn", ["err", "queue"], ["queue", "err"], "BullMQ's worker met an error; it goes on."),
  "queue's worker stopped by itself": each("error", ["err", "queue"], "No job of that queue is taken here any more."),
  "queue connection error": rarely("debug", ["err", "queue"], ["queue", "err"], "It is made again."),
  "job's entry in the queue cannot be read: mended, its record counts": rarely(
    "error",
    ["queue", "job", "fields", "code"],
    ["queue"],
    "Somebody changed what BullMQ keeps: see the runbook `unreadable`.",
  ),
  "entry of the queue that no producer of ours put there: dropped": rarely(
    "error",
    ["queue", "code"],
    ["queue"],
    "Another program writes to our queue: see the runbook `unreadable`.",
  ),
  "queues not measured": rarely("debug", ["err"], ["err"], "The gauges of a scrape are absent."),

  // Providers and their gates.
  "a provider's jobs are held back: none fails by it": rarely(
    "warn",
    ["provider", "reason"],
    ["provider", "reason"],
    "Refused credential or scope, open breaker, 429, or paused by hand: `satyapan provider show`.",
  ),
  "a provider's jobs are held back no more": rarely(
    "info",
    ["provider", "reason"],
    ["provider", "reason"],
    "They are called again.",
  ),
  "our clock differs from the provider's: set it (NTP); signatures follow the provider's": rarely(
    "warn",
    ["provider", "clock_offset_ms"],
    ["provider"],
    "Told by the provider's replies: see the runbook `provider-clock-differs`.",
  ),
  "our clock agrees with the provider's again": rarely("info", ["provider", "clock_offset_ms"], ["provider"], "Well."),
  "what the gate knows cannot be read: nobody calls this provider": rarely(
    "error",
    ["provider", "queue", "fields", "code"],
    ["queue"],
    "`satyapan provider resume` removes it, and workers bring back the quota.",
  ),
  "what the gate knows can be read again": rarely("info", ["queue"], ["queue"], "Jobs are called again."),
  "gate not looked at": rarely("debug", ["err", "queue"], ["queue", "err"], "The next look tries again."),
  "another worker runs with other settings: give all of them the same": rarely(
    "warn",
    ["provider", "settings"],
    ["provider"],
    "Workers of one queue differ in what all have to agree on.",
  ),
  "all workers run with the same settings again": rarely("info", ["provider"], ["provider"], "They do."),
  "other workers not compared": rarely("debug", ["err", "queue"], ["queue", "err"], "The next look tries again."),

  // Redis.
  "redis connection error": rarely("warn", ["err"], ["err"], "It is made again: see the runbook `redis-down`."),
  "redis warning": each(
    "warn",
    ["redis", "warning"],
    "Redis is not set up as it should be; `satyapan doctor` says more.",
  ),
  "another Redis server answers: its quota's permits are confirmed first": rarely(
    "warn",
    ["queue"],
    ["queue"],
    "A failover: what the new one lacks is brought back.",
  ),
  "Redis lost its data: jobs that were in it are gone; quota and settings are back, windows up to a minute count as full":
    rarely("error", ["queue", "quota", "brought_back_here"], ["queue"], "See the runbook `redis-data-lost`."),
  "the quota that was set by hand was lost with Redis' data: set it again with satyapan quota set": rarely(
    "error",
    ["queue", "lost", "in_force"],
    ["queue"],
    "That of the settings counts until then.",
  ),
  "this machine's clock differs from Redis': set it (NTP); all times are Redis'": rarely(
    "warn",
    ["redis_clock_offset_ms"],
    [],
    "See the runbook `clock-wrong`.",
  ),
  "this machine's clock agrees with Redis' again": rarely("info", ["redis_clock_offset_ms"], [], "Well."),

  // What one worker does for all.
  "what one worker does for all": rarely("info", ["held"], ["held"], "This worker does it from now on, or no more."),
  "lease of what one worker does for all": rarely("warn", ["err"], ["err"], "It could not be kept: another takes it."),
  "reaper's round failed": rarely("warn", ["err", "queue"], ["queue", "err"], "The next round tries again."),
  "reaper goes on": rarely("info", ["queue"], ["queue"], "Its rounds are well again."),
  "parents cannot be told": rarely(
    "warn",
    ["err", "queue"],
    ["queue", "err"],
    "Onboardings and batches stand meanwhile.",
  ),
  "parents are told again": rarely("info", ["queue"], ["queue"], "Nothing was lost."),
  "news for a parent that nobody can take: set aside": rarely(
    "error",
    ["queue", "entry", "job?", "parent?", "code", "err"],
    ["queue", "err"],
    "It is kept beside the outbox; the onboarding or batch is found by the next look at it.",
  ),
  "the outbox of what parents are told holds something else: entries go to the second one (:aside)": rarely(
    "error",
    ["queue", "code"],
    ["queue"],
    "Nothing is lost. It goes on when the key has another name (RENAME).",
  ),
  "onboardings were not looked at": rarely(
    "warn",
    ["err", "queue", "onboarding?"],
    ["queue", "err"],
    "The next look tries again. `onboarding`: the first that it failed at, and the others went on.",
  ),
  "heartbeat could not be made": rarely("warn", ["err"], ["err"], "The next minute tries again; its age is a metric."),
  "another feeder works; this one begins anew if it is its turn": rarely(
    "warn",
    ["queue"],
    ["queue"],
    "The duty went to another worker in the middle of a round, which changed nothing.",
  ),
  "feeder's round failed: Redis refused it": rarely(
    "warn",
    ["err", "queue"],
    ["queue", "err"],
    "The next one reads anew.",
  ),
  "feeder's round failed by a fault of our own": rarely(
    "error",
    ["err", "queue"],
    ["queue", "err"],
    "Batches of that queue stand while it lasts.",
  ),
  "batch stands: this worker lacks what it takes": rarely(
    "error",
    ["err", "batch"],
    ["batch"],
    "A key that seals its rows, or an update. `satyapan batch show` says which; other batches go on.",
  ),
  "batch of a newer version: it is left as it is": each(
    "error",
    ["batch", "code"],
    "Neither handed over nor closed by this worker: one of the version that submitted it does. Update this one.",
  ),
  "row of a batch whose record is of a newer version: it is left as it is": rarely(
    "error",
    ["batch", "job", "code"],
    ["batch"],
    "Its batch stays open until a worker that can read it says how it ended. Update this one.",
  ),
  "batch ended": each("info", ["batch", "state", "counts"], "All its rows have."),
  "batch stopped by itself": each(
    "warn",
    ["batch", "reason"],
    "Too many of its rows failed: `satyapan batch show`, then `resume` or `cancel`.",
  ),
  "batch miscounted": rarely(
    "error",
    ["batch", "rows", "counts", "bytes", "foreign"],
    ["batch"],
    "See the runbook `batch-miscounted`.",
  ),

  // Traces.
  "tracing is on": each("info", ["collector", "share"], "Spans go to the collector from now on."),
  "tracing stays off: OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL": each("warn", [], "All else goes on."),
  "spans cannot be exported: they are dropped and counted": rarely(
    "warn",
    ["collector", "code"],
    ["code"],
    "The collector is away, or refuses them. No call waits for it.",
  ),
  "spans are exported again": rarely("info", ["collector"], [], "What was dropped meanwhile is lost."),

  // Keys, audit log, privacy.
  "no jobs are taken: a key in use is not among this worker's": rarely(
    "warn",
    ["code", "why"],
    [],
    "Give it SATYAPAN_ENCRYPTION_KEYS as the other workers have it: see the runbook `key-missing`.",
  ),
  "every key in use is there: jobs are taken again": rarely("info", [], [], "Well."),
  "audit log": rarely(
    "error",
    ["err"],
    ["err"],
    "Entries wait in Redis: their folder cannot be written, as `err` says, or the chain is broken: see `audit-broken`.",
  ),
  "audit files mended": rarely("warn", ["what"], ["what"], "Written again from what Redis has."),
  "the audit log's outbox holds something else than entries: entries go to the second one (:aside)": rarely(
    "error",
    ["code", "key"],
    ["key"],
    "Calls go on; `show --reveal`, keys and quota are refused until the key has another name (RENAME).",
  ),
  "what is no entry lay in an outbox of the audit log: its digest is in the log instead": rarely(
    "error",
    ["code", "key", "count", "first", "last"],
    ["key"],
    "Somebody else wrote there: see the runbook `unreadable`.",
  ),
  "something personal or secret is in clear": rarely(
    "error",
    ["source", "place", "kind", "what", "shown"],
    ["place", "kind"],
    "See the runbook `privacy-findings`.",
  ),
} as const;
