import type { RetentionTimes } from "../records/retention.ts";
import type { KeyRing } from "../privacy/keys/key-ring.ts";
import type { KeyServiceSettings } from "../privacy/keys/open-key-provider.ts";
import type { RedisTls } from "../redis/tls.ts";
import type { Secret } from "../secrets/secret.ts";
import type { Quota, QuotaWindow } from "../limits/quota.ts";

/** Everything a process is told from outside, parsed once at start (`parseSettings`). Durations are milliseconds. */
export interface Settings {
  /** Null: the embedded Redis of this folder (design §7). A `Secret` because it may hold a password. */
  readonly redisUrl: Secret | null;
  /** Counts only where `redisUrl` (or `keysRedisUrl`) says `rediss`. */
  readonly redisTls: RedisTls;
  /** Whether a worker may run in a process that gives clear values away (`src/privacy/hygiene.ts`). Default false. */
  readonly allowDebugger: boolean;
  /** Null: this process has no Eko settings and cannot serve it. */
  readonly eko: EkoSettings | null;
  readonly deepvue: DeepvueSettings | null;
  /** Waits after a 409, one per try; when they are used up the job is `rejected`. Default 60s,120s,300s (facts/deepvue §7). */
  readonly pendingDelaysMs: readonly number[];
  readonly otp: OtpSettings;
  /** After a refusal (our credentials, an agent) one job may try again after so many ms. Default 5 min. */
  readonly holdProbeMs: number;
  /** Share of a scarce quota that bulk jobs get though interactive ones wait, 0 to 1. Default 0.1. */
  readonly bulkFloor: number;
  readonly calls: CallSettings;
  readonly worker: WorkerSettings;
  /** Where the data keys are. Null: in the Redis of the jobs. */
  readonly keysRedisUrl: Secret | null;
  /** Wrap the data keys. Null: a key service wraps them all. */
  readonly keys: KeyRing | null;
  /** Wraps the data keys instead of the ring, which then only unwraps. Null: the ring wraps. */
  readonly keyService: KeyServiceSettings | null;
  /** HMAC key of subjects and input digests: base64 of 32 bytes; its own key, never one that seals. */
  readonly subjectKey: Secret;
  /** `off` lets the providers' own test numbers through, which fail Verhoeff (facts/deepvue §5.2). */
  readonly aadhaarChecksum: boolean;
  /** Which jobs are refused without consent. Default `deepvue`. */
  readonly consentRequired: "deepvue" | "all";
  readonly retention: RetentionTimes;
  /** `dir` null: the audit log is only in Redis; `keepMs`: how long entries stay there, default 30 days. */
  readonly audit: { readonly dir: string | null; readonly keepMs: number };
  readonly logLevel: LogLevel;
  /** Paths of operations that differ from the catalogue's, by operation name. */
  readonly paths: Readonly<Record<string, string>>;
  /** What is not wrong but looks like a mistake, one sentence each, to be logged at start: probably misspelt variables. */
  readonly warnings: readonly string[];
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

export interface EkoSettings {
  /** Scheme, host, and base path, for example `https://staging.eko.in/ekoapi/v3`; no trailing slash, except that of a bare host. */
  readonly baseUrl: URL;
  readonly developerKey: Secret;
  readonly accessKey: Secret;
  readonly initiatorId: string;
  readonly userCode: string;
  /** RSA, base64 SPKI (DER) in one line, whichever form was given; null: AePS operations need `aadhaar_encrypted`. */
  readonly aadhaarPublicKey: string | null;
  /** Name of the AePS body field: `aadhaar` in the seed, `aadhar` in the provider's current specification (facts/eko §7.1). */
  readonly aepsAadhaarField: "aadhaar" | "aadhar";
  readonly quota: Quota;
}

export interface DeepvueSettings {
  readonly baseUrl: URL;
  readonly clientId: Secret;
  readonly clientSecret: Secret;
  readonly quota: Quota;
}

export interface OtpSettings {
  /** Time in which no second OTP is asked for one subject. Default 60 s; 0 switches it off. */
  readonly cooldownMs: number;
  /** How many OTPs one subject is sent at most, in a longer time. Default 5 in 30 min (facts/deepvue §7). */
  readonly limit: QuotaWindow;
}

export interface CallSettings {
  /** From the first byte written to the last byte read. Default 30 s. */
  readonly timeoutMs: number;
  /** How many attempts a job has that cost one. Default 5. */
  readonly attempts: number;
  /** First backoff; doubles with each failure. Default 1 s. */
  readonly backoffBaseMs: number;
  /** Longest backoff. Default 60 s. */
  readonly backoffCapMs: number;
}

export interface WorkerSettings {
  /** Jobs at once per queue and process. Default 50. */
  readonly concurrency: number;
  /** Time from SIGTERM to the hard stop; longer than a call may take. Default 35 s. */
  readonly shutdownGraceMs: number;
  /** Where `metricsPort` is listened on: an address or a name of this machine. Default 127.0.0.1. */
  readonly metricsHost: string;
  /** Default 9464; 0 takes a free port. */
  readonly metricsPort: number;
}
