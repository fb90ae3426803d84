import type { LimitSettings } from "../limits/settings.ts";
import type { EntrySettings } from "../operations/settings.ts";
import type { RetrySettings } from "../outcomes/settings.ts";
import type { AuditSettings } from "../privacy/audit/settings.ts";
import type { KeySettings } from "../privacy/keys/settings.ts";
import type { HygieneSettings } from "../privacy/settings.ts";
import type { DeepvueSettings } from "../providers/deepvue/settings.ts";
import type { EkoSettings } from "../providers/eko/settings.ts";
import type { CallSettings } from "../providers/settings.ts";
import type { TakingSettings } from "../queues/settings.ts";
import type { RetentionTimes } from "../records/settings.ts";
import type { RedisSettings } from "../redis/settings.ts";
import type { TracingSettings } from "../telemetry/tracing/settings.ts";
import type { LogFormat, LogLevel, MetricsSettings } from "../telemetry/settings.ts";

/** Everything a process is told from outside, parsed once at start (`parseSettings`). Durations are milliseconds. */
export interface Settings extends RedisSettings, LimitSettings, EntrySettings, HygieneSettings, KeySettings {
  /** Null: this process has no Eko settings and cannot serve it. */
  readonly eko: EkoSettings | null;
  readonly deepvue: DeepvueSettings | null;
  readonly calls: CallSettings & RetrySettings;
  readonly worker: TakingSettings & MetricsSettings;
  readonly retention: RetentionTimes;
  readonly audit: AuditSettings;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Null: there are no traces. */
  readonly tracing: TracingSettings | null;
  /** Paths of operations that differ from the catalogue's, by operation name. */
  readonly paths: Readonly<Record<string, string>>;
  /** What is not wrong but looks like a mistake, one sentence each, to be logged at start: probably misspelt variables. */
  readonly warnings: readonly string[];
}
