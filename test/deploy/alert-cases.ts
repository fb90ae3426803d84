/** What an alert sees, and whether it fires then. Series as promtool's tests write them, sampled every 15 s. */
export interface AlertCase {
  readonly alert: string;
  /** What happens, as a sentence. */
  readonly when: string;
  readonly series: Readonly<Record<string, string>>;
  /** For example `5m`. */
  readonly at: string;
  /** How many alerts fire; 0: it is silent. */
  readonly fires: number;
}

const HELD = (reason: string, provider = "eko"): string =>
  `satyapan_provider_held{provider="${provider}",reason="${reason}",instance="a"}`;
const CALLS = (outcome: string, operation = "eko.mobile-otp", id = "none"): string =>
  `satyapan_calls_total{provider="eko",operation="${operation}",outcome="${outcome}",response_status_id="${id}",response_type_id="none",http_status="2xx"}`;
const WINDOW = (name: string): string => `satyapan_quota_${name}_calls{provider="deepvue",window="1000/1d"}`;
const SETTLED = (state: string): string =>
  `satyapan_jobs_settled_total{operation="eko.mobile-otp",state="${state}",lane="bulk"}`;
const PICKUP = (le: string): string => `satyapan_job_pickup_seconds_bucket{lane="interactive",le="${le}"}`;
const BATCHES = (state: string, instance = "a"): string =>
  `satyapan_batches_open{queue="{eko-0}",state="${state}",instance="${instance}"}`;
const ROWS = (provider: string): string => `satyapan_batch_rows{queue="{${provider}-0}",state="waiting",instance="a"}`;
const OTPS = (event: string): string => `satyapan_challenges_total{operation="eko.mobile-otp",event="${event}"}`;
const UNMOVED = (lane: string): string => `satyapan_onboarding_unmoved_seconds{queue="{eko-0}",lane="${lane}"}`;
const DURATION = (le: string): string =>
  `satyapan_call_duration_seconds_bucket{provider="eko",operation="eko.mobile-otp",le="${le}"}`;

function silent(alert: string, when: string, at: string, series: AlertCase["series"]): AlertCase {
  return { alert, when, at, series, fires: 0 };
}

function fires(alert: string, when: string, at: string, series: AlertCase["series"], times = 1): AlertCase {
  return { alert, when, at, series, fires: times };
}

export const ALERT_CASES: readonly AlertCase[] = [
  fires("RedisDown", "no worker reaches Redis", "2m", {
    'satyapan_redis_up{instance="a"}': "1 0x20",
    'satyapan_redis_up{instance="b"}': "1 0x20",
  }),
  silent("RedisDown", "one worker of two does not reach it", "5m", {
    'satyapan_redis_up{instance="a"}': "0x20",
    'satyapan_redis_up{instance="b"}': "1x20",
  }),
  fires("RedisRefusesWrites", "it is full", "2m", {
    'satyapan_redis_up{instance="a"}': "1x20",
    'satyapan_redis_writable{instance="a"}': "1 0x20",
  }),
  silent("RedisRefusesWrites", "it is away", "5m", {
    'satyapan_redis_up{instance="a"}': "0x20",
    'satyapan_redis_writable{instance="a"}': "0x20",
  }),
  fires("RedisFillsUp", "85 % are used", "3m", {
    satyapan_redis_memory_bytes: "850x20",
    satyapan_redis_memory_limit_bytes: "1000x20",
  }),
  silent("RedisFillsUp", "70 % are used", "5m", {
    satyapan_redis_memory_bytes: "700x20",
    satyapan_redis_memory_limit_bytes: "1000x20",
  }),
  fires("RedisEvicts", "its policy is another", "1m", { satyapan_redis_noeviction: "0x20" }),
  silent("RedisEvicts", "it is noeviction and nothing was evicted", "5m", {
    satyapan_redis_noeviction: "1x20",
    satyapan_redis_evicted_keys_total: "0x20",
  }),
  fires("RedisDataLost", "two workers found its data lost: one alert", "2m", {
    'satyapan_redis_data_lost_total{queue="{eko-0}",instance="a"}': "0x3 1x20",
    'satyapan_redis_data_lost_total{queue="{eko-0}",instance="b"}': "0x3 1x20",
  }),
  silent("RedisDataLost", "it was lost half an hour ago", "40m", {
    'satyapan_redis_data_lost_total{queue="{eko-0}",instance="a"}': "0x3 1x200",
  }),
  fires("RedisNotPersisting", "it keeps no AOF", "6m", { satyapan_redis_persists: "0x40" }),
  silent("RedisNotPersisting", "it keeps one", "6m", { satyapan_redis_persists: "1x40" }),
  fires("RedisSlow", "a write takes 0.3 s", "6m", { satyapan_redis_write_seconds: "0.3x40" }),
  silent("RedisSlow", "one of two workers is slow", "6m", {
    'satyapan_redis_write_seconds{instance="a"}': "0.3x40",
    'satyapan_redis_write_seconds{instance="b"}': "0.001x40",
  }),
  fires("NoWorker", "both are down", "3m", {
    'up{job="worker",instance="a"}': "0x20",
    'up{job="worker",instance="b"}': "0x20",
  }),
  fires("NoWorker", "none was ever seen", "3m", {}),
  silent("NoWorker", "one of two is down", "5m", {
    'up{job="worker",instance="a"}': "0x20",
    'up{job="worker",instance="b"}': "1x20",
  }),
  fires("WorkerDown", "one of two is down", "4m", {
    'up{job="worker",instance="a"}': "0x20",
    'up{job="worker",instance="b"}': "1x20",
  }),
  silent("WorkerDown", "it restarts within a minute", "4m", { 'up{job="worker",instance="a"}': "1x4 0x4 1x20" }),
  fires("NoWorkerReady", "both answer, and take no jobs", "3m", {
    'satyapan_worker_ready{instance="a"}': "0x20",
    'satyapan_worker_ready{instance="b"}': "0x20",
  }),
  silent("NoWorkerReady", "one takes jobs", "5m", {
    'satyapan_worker_ready{instance="a"}': "0x20",
    'satyapan_worker_ready{instance="b"}': "1x20",
  }),
  fires("WorkerNotReady", "one takes no jobs", "6m", {
    'satyapan_worker_ready{instance="a"}': "0x40",
    'satyapan_keys_lacking{instance="a"}': "0x40",
  }),
  silent("WorkerNotReady", "it lacks a key, which has its own alert", "6m", {
    'satyapan_worker_ready{instance="a"}': "0x40",
    'satyapan_keys_lacking{instance="a"}': "1x40",
  }),
  fires("KeyMissing", "one lacks a key", "2m", { 'satyapan_keys_lacking{instance="a"}': "1x20" }),
  silent("KeyMissing", "all have all keys", "5m", { 'satyapan_keys_lacking{instance="a"}': "0x20" }),
  fires("ClockWrong", "one is 5 min behind", "3m", {
    'satyapan_redis_clock_offset_seconds{instance="a"}': "-300x20",
    'satyapan_redis_clock_offset_seconds{instance="b"}': "0.001x20",
  }),
  silent("ClockWrong", "they differ by a second", "5m", { satyapan_redis_clock_offset_seconds: "1x20" }),
  fires("EventLoopLags", "by 0.8 s", "6m", { nodejs_eventloop_lag_p99_seconds: "0.8x40" }),
  silent("EventLoopLags", "by 0.1 s", "6m", { nodejs_eventloop_lag_p99_seconds: "0.1x40" }),
  fires("OwnFaults", "a job threw", "3m", { 'satyapan_faults_total{kind="job"}': "0x3 1x20" }),
  silent("OwnFaults", "none did", "5m", { 'satyapan_faults_total{kind="job"}': "3x20" }),
  fires("ClosingsUnwritten", "three are in memory", "3m", { satyapan_closings_unwritten: "3x20" }),
  silent("ClosingsUnwritten", "they are written within a minute", "3m", { satyapan_closings_unwritten: "3x2 0x20" }),
  fires("Unreadable", "a record was altered", "2m", { 'satyapan_unreadable_total{place="record"}': "0x3 1x20" }),
  silent("Unreadable", "none was", "5m", { 'satyapan_unreadable_total{place="record"}': "0x20" }),
  fires("ProviderHeld", "two workers report one hold: one alert", "2m", {
    [HELD("credential")]: "1x20",
    [HELD("credential").replace('"a"', '"b"')]: "1x20",
  }),
  silent("ProviderHeld", "a breaker is open, which has its own alert", "5m", { [HELD("breaker")]: "1x20" }),
  fires("BreakerOpen", "it is open, and half open now and then", "4m", {
    [HELD("breaker")]: "0x2 1 1 0 1 1 0 1 1 1 1 1 1 1 1 1",
    [HELD("resuming")]: "0x2 0 0 1 0 0 1 0 0 0 0 0 0 0 0 0",
  }),
  silent("BreakerOpen", "it closed again within a minute", "5m", { [HELD("breaker")]: "1 1 0x20" }),
  fires("ProviderPaused", "the provider says: come back in an hour", "2m", {
    'satyapan_provider_pause_seconds{provider="deepvue"}': "3600-15x20",
  }),
  silent("ProviderPaused", "a pause of seconds", "5m", {
    'satyapan_provider_pause_seconds{provider="deepvue"}': "4x20",
  }),
  fires("QuotaGone", "the day's calls are used up", "3m", { [WINDOW("remaining")]: "5 3 0x20" }),
  silent("QuotaGone", "the minute's are, which is usual", "5m", {
    'satyapan_quota_remaining_calls{provider="deepvue",window="30/1m"}': "0x20",
    [WINDOW("remaining")]: "900x20",
  }),
  fires("QuotaRunsOut", "a fifth is left, and goes by ten a minute", "20m", {
    [WINDOW("remaining")]: "390-2.5x100",
    [WINDOW("limit")]: "1000x100",
  }),
  silent("QuotaRunsOut", "a fifth is left, and comes back as fast as it goes", "20m", {
    [WINDOW("remaining")]: "200x100",
    [WINDOW("limit")]: "1000x100",
  }),
  fires("Throttled", "a hard storm: few calls go out, most are 429", "8m", {
    [CALLS("throttled")]: "0x4 0+0.2x40",
    [CALLS("succeeded")]: "0x4 0+0.1x40",
  }),
  silent("Throttled", "one in a hundred", "6m", {
    [CALLS("throttled")]: "0+0.1x40",
    [CALLS("succeeded")]: "0+10x40",
  }),
  fires("ThrottledHard", "two of three are 429", "6m", {
    [CALLS("throttled")]: "0x4 0+0.2x40",
    [CALLS("succeeded")]: "0x4 0+0.1x40",
  }),
  silent("ThrottledHard", "one in ten is, which is a ticket", "6m", {
    [CALLS("throttled")]: "0+1x40",
    [CALLS("succeeded")]: "0+9x40",
  }),
  fires("ProviderSlow", "half of the calls take 5 s", "6m", {
    [DURATION("3")]: "0+1x40",
    [DURATION("6")]: "0+5x40",
    [DURATION("+Inf")]: "0+5x40",
    'satyapan_call_duration_seconds_count{provider="eko",operation="eko.mobile-otp"}': "0+5x40",
  }),
  silent("ProviderSlow", "one call a quarter of an hour", "40m", {
    [DURATION("3")]: "0x160",
    [DURATION("+Inf")]: "0x100 1x60",
    'satyapan_call_duration_seconds_count{provider="eko",operation="eko.mobile-otp"}': "0x100 1x60",
  }),
  fires("ProviderClockDiffers", "by two minutes", "3m", {
    'satyapan_clock_offset_seconds{provider="eko",instance="a"}': "-120x20",
    'satyapan_redis_clock_offset_seconds{instance="a"}': "0x20",
  }),
  silent("ProviderClockDiffers", "our own clock is wrong, which has its own alert", "5m", {
    'satyapan_clock_offset_seconds{provider="eko",instance="a"}': "300x20",
    'satyapan_redis_clock_offset_seconds{instance="a"}': "300x20",
  }),
  fires("QueuePaused", "for ten minutes", "10m", { [HELD("paused")]: "1x60" }),
  silent("QueuePaused", "for a minute", "10m", { [HELD("paused")]: "1x4 0x60" }),
  fires("CallsFailFast", "a third fails", "8m", {
    [CALLS("unavailable")]: "0x4 0+1x60",
    [CALLS("succeeded")]: "0x4 0+2x60",
  }),
  silent("CallsFailFast", "a third is rejected or pending: the persons' own no", "8m", {
    [CALLS("rejected")]: "0x4 0+1x60",
    [CALLS("pending")]: "0x4 0+1x60",
    [CALLS("succeeded")]: "0x4 0+2x60",
  }),
  silent("CallsFailFast", "two calls of a quiet night fail", "30m", { [CALLS("unavailable")]: "0x4 1x20 2x200" }),
  fires("CallsFailSteady", "one in ten fails", "60m", {
    [CALLS("unknown")]: "0x4 0+1x300",
    [CALLS("succeeded")]: "0x4 0+9x300",
  }),
  silent("CallsFailSteady", "it was over an hour ago", "180m", {
    [CALLS("unknown")]: "0x4 0+1x100 100x700",
    [CALLS("succeeded")]: "0x4 0+9x1000",
  }),
  fires("CallsFailSlow", "two in a hundred fail", "7h", {
    [CALLS("unknown")]: "0x4 0+1x2000",
    [CALLS("succeeded")]: "0x4 0+49x2000",
  }),
  silent("CallsFailSlow", "one in a thousand", "7h", {
    [CALLS("unknown")]: "0x4 0+0.1x2000",
    [CALLS("succeeded")]: "0x4 0+100x2000",
  }),
  ...["Fast", "Steady", "Slow"].flatMap((suffix) => [
    fires(`PickupLate${suffix}`, "half of the persons wait longer than 5 s", "7h", {
      [PICKUP("5")]: "0x4 0+1x2000",
      'satyapan_job_pickup_seconds_count{lane="interactive"}': "0x4 0+2x2000",
      [HELD("breaker")]: "0x2000",
    }),
    fires(`PickupLate${suffix}`, "half of them do, though the last outage was 40 min ago", "7h", {
      [PICKUP("5")]: "0x4 0+1x2000",
      'satyapan_job_pickup_seconds_count{lane="interactive"}': "0x4 0+2x2000",
      [HELD("breaker")]: "0x1460 1 0x540",
    }),
    silent(`PickupLate${suffix}`, "half of them do, just after an outage", "7h", {
      [PICKUP("5")]: "0x4 0+1x2000",
      'satyapan_job_pickup_seconds_count{lane="interactive"}': "0x4 0+2x2000",
      [HELD("breaker")]: "0x1660 1 0x340",
    }),
    silent(`PickupLate${suffix}`, "one in a thousand does", "7h", {
      [PICKUP("5")]: "0x4 0+999x2000",
      'satyapan_job_pickup_seconds_count{lane="interactive"}': "0x4 0+1000x2000",
      [HELD("breaker")]: "0x2000",
    }),
  ]),
  fires("OldestWaiting", "for an hour", "10m", { 'satyapan_queue_oldest_waiting_seconds{queue="{eko-0}"}': "3600x60" }),
  silent("OldestWaiting", "for a minute", "10m", { 'satyapan_queue_oldest_waiting_seconds{queue="{eko-0}"}': "60x60" }),
  fires("JobsUnknown", "two workers say that 58 wait to be settled, for hours: one alert", "3h", {
    'satyapan_jobs_undecided{queue="{eko-0}",state="unknown",instance="a"}': "58x800",
    'satyapan_jobs_undecided{queue="{eko-0}",state="unknown",instance="b"}': "58x800",
  }),
  silent("JobsUnknown", "all are settled", "3h", {
    'satyapan_jobs_undecided{queue="{eko-0}",state="unknown",instance="a"}': "58x20 0x780",
  }),
  fires("JobsFail", "one in ten fails", "5m", {
    [SETTLED("failed")]: "0x2 0+1x40",
    [SETTLED("succeeded")]: "0x2 0+9x40",
  }),
  silent("JobsFail", "one in a hundred fails", "5m", {
    [SETTLED("failed")]: "0x2 0+1x40",
    [SETTLED("succeeded")]: "0x2 0+99x40",
  }),
  fires("WrongOtps", "45 of 100 codes are wrong", "6m", {
    [CALLS("rejected", "eko.mobile-otp.verify", "302")]: "0x2 0+4.5x40",
    [CALLS("succeeded", "eko.mobile-otp.verify", "0")]: "0x2 0+5.5x40",
  }),
  silent("WrongOtps", "sends are rejected, not codes", "6m", {
    [CALLS("rejected", "eko.mobile-otp", "302")]: "0x2 0+4.5x40",
    [CALLS("succeeded", "eko.mobile-otp.verify", "0")]: "0x2 0+5.5x40",
  }),
  fires("BatchStopped", "two workers tell of one that stopped: one alert", "3m", {
    [BATCHES("stopped")]: "1x20",
    [BATCHES("stopped", "b")]: "1x20",
  }),
  silent("BatchStopped", "one is paused, and none stopped", "3m", {
    [BATCHES("stopped")]: "0x20",
    [BATCHES("paused")]: "1x20",
  }),
  fires(
    "FeederStopped",
    "nobody has the duty, and rows wait in both queues",
    "3m",
    {
      [ROWS("eko")]: "900x20",
      [ROWS("deepvue")]: "100x20",
      'satyapan_duty_held{instance="a"}': "0x20",
    },
    2,
  ),
  fires("FeederStopped", "who has it gets nowhere with one queue", "3m", {
    [ROWS("eko")]: "900x20",
    [ROWS("deepvue")]: "100x20",
    'satyapan_duty_held{instance="a"}': "1x20",
    'satyapan_feeder_lag_seconds{queue="{eko-0}",instance="a"}': "100x20",
    'satyapan_feeder_lag_seconds{queue="{deepvue-0}",instance="a"}': "1x20",
  }),
  silent("FeederStopped", "rows wait, and are handed over as the quota allows", "5m", {
    [ROWS("eko")]: "900x20",
    'satyapan_duty_held{instance="a"}': "1x20",
    'satyapan_feeder_lag_seconds{queue="{eko-0}",instance="a"}': "0.5x20",
  }),
  silent("FeederStopped", "nobody has the duty for some seconds, while a worker restarts", "5m", {
    [ROWS("eko")]: "900x20",
    'satyapan_duty_held{instance="a"}': "0 0 0 1x20",
  }),
  fires("ChallengesExpire", "seven of ten codes run out", "40m", {
    [OTPS("sent")]: "0+10x200",
    [OTPS("verified")]: "0+2x200",
    [OTPS("spent")]: "0+1x200",
    [OTPS("expired")]: "0+7x200",
  }),
  silent("ChallengesExpire", "half of what ends was sent again, and the rest is verified", "40m", {
    [OTPS("sent")]: "0+10x200",
    [OTPS("resent")]: "0+5x200",
    [OTPS("verified")]: "0+5x200",
  }),
  silent("ChallengesExpire", "one of ten does", "40m", { [OTPS("verified")]: "0+9x200", [OTPS("expired")]: "0+1x200" }),
  silent("ChallengesExpire", "all do, of three", "40m", {
    [OTPS("verified")]: "0x200",
    [OTPS("expired")]: "0x50 3x150",
  }),
  fires("OnboardingStuck", "nobody looks at what is due", "5m", {
    'satyapan_onboarding_lag_seconds{queue="{eko-0}"}': "0+15x40",
  }),
  fires("OnboardingStuck", "a person has waited for a quarter of an hour", "5m", {
    [UNMOVED("interactive")]: "900+15x40",
  }),
  silent("OnboardingStuck", "those of a batch wait for the quota", "5m", {
    [UNMOVED("bulk")]: "9000+15x40",
    [UNMOVED("interactive")]: "20x40",
    'satyapan_onboarding_lag_seconds{queue="{eko-0}"}': "4x40",
  }),
  fires("HeartbeatLost", "none came through for minutes; two workers tell: one alert", "5m", {
    'satyapan_heartbeat_age_seconds{instance="a"}': "0+15x40",
    'satyapan_heartbeat_age_seconds{instance="b"}': "0+15x40",
  }),
  silent("HeartbeatLost", "each minute one comes through", "9m", {
    'satyapan_heartbeat_age_seconds{instance="a"}': "0 15 30 45 60 0 15 30 45 60 0 15 30 45 60 0 15 30 45 60",
  }),
  silent("HeartbeatLost", "it is not asked for", "9m", { 'up{job="worker",instance="a"}': "1x40" }),
  fires("KeyRetires", "in three weeks", "12m", { 'satyapan_key_life_left_seconds{instance="a"}': "1814400x60" }),
  fires("KeyRetires", "its time is over", "12m", { 'satyapan_key_life_left_seconds{instance="a"}': "-86400x60" }),
  silent("KeyRetires", "in three months", "12m", { 'satyapan_key_life_left_seconds{instance="a"}': "7776000x60" }),
  fires("BatchMiscounted", "two rows are missing", "7m", { satyapan_batch_rows_miscounted: "2x40" }),
  silent("BatchMiscounted", "all add up", "7m", { satyapan_batch_rows_miscounted: "0x40" }),
  fires("RetentionOverdue", "for ten minutes", "5m", {
    'satyapan_retention_overdue_seconds{queue="{eko-0}"}': "600x40",
  }),
  silent("RetentionOverdue", "for seconds", "5m", { 'satyapan_retention_overdue_seconds{queue="{eko-0}"}': "5x40" }),
  fires("PrivacyFindings", "one in Redis", "1m", { 'satyapan_privacy_findings{place="redis"}': "1x20" }),
  silent("PrivacyFindings", "none", "5m", { 'satyapan_privacy_findings{place="redis"}': "0x20" }),
  fires("AuditBroken", "it was found broken", "2m", { satyapan_audit_broken_total: "0x3 1x20" }),
  silent("AuditBroken", "it never was", "5m", { satyapan_audit_broken_total: "0x20" }),
  fires("AuditBehind", "2,000 entries wait", "10m", { satyapan_audit_backlog_entries: "2000x60" }),
  silent("AuditBehind", "ten wait", "10m", {
    satyapan_audit_backlog_entries: "10x60",
    satyapan_audit_file_age_seconds: "2x60",
  }),
];
