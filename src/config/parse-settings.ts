import { ErrorCode, SatyapanError } from "../base/error.ts";
import { crossChecks } from "./cross-checks.ts";
import { SETTINGS, type SettingValues } from "./definitions.ts";
import { redisTlsOf, tlsProblems } from "./tls.ts";
import type { Environment } from "./environment.ts";
import type { LocalKeys } from "./local-keys.ts";
import { misspelt } from "./misspelt.ts";
import { readPaths, type PathOwner } from "./path-settings.ts";
import { readSettings } from "./read-settings.ts";
import type { KeyServiceSettings } from "../privacy/keys/open-key-provider.ts";
import type { DeepvueSettings, EkoSettings, Settings } from "./settings.ts";

export interface SettingsSources {
  /** The text of a file that a `NAME_FILE` variable names; throws where it cannot be read. */
  readonly readFile: (path: string) => string;
  /** The catalogue, whose paths may be replaced. */
  readonly operations: readonly PathOwner[];
  /** Keys of this folder (`loadLocalKeys`), asked for only where neither keys nor `REDIS_URL` are set. */
  readonly localKeys?: () => LocalKeys;
  /** For certificates. Default: the clock. */
  readonly now?: () => number;
}

/**
 * Everything a process is told from outside, checked, also against each other (design §6).
 * @throws SatyapanError `bad-settings` with a line for everything that is wrong, each naming the variable and how to mend it,
 * none repeating a secret; whatever `localKeys` throws
 */
export function parseSettings(environment: Environment, sources: SettingsSources): Settings {
  const { readFile, operations, localKeys, now = Date.now } = sources;
  const problems: string[] = [];
  const complain = (problem: string): void => void problems.push(problem);
  const read = readSettings(environment, readFile, complain);
  problems.push(...crossChecks(read, localKeys !== undefined));
  const redisUrls = [read.values.REDIS_URL, read.values.KEYS_REDIS_URL].filter((url) => url !== undefined);
  problems.push(...tlsProblems(read.values, redisUrls, now()));
  const paths = readPaths(environment, operations, complain);
  if (problems.length > 0) throw wrongSettings(problems);

  const all = read.values;
  return {
    redisUrl: all.REDIS_URL ?? null,
    redisTls: redisTlsOf(all),
    allowDebugger: all.ALLOW_DEBUGGER,
    keysRedisUrl: all.KEYS_REDIS_URL ?? null,
    eko: ekoSettings(all),
    deepvue: deepvueSettings(all),
    pendingDelaysMs: all.DEEPVUE_PENDING_DELAYS,
    otp: { cooldownMs: all.OTP_COOLDOWN, limit: all.OTP_LIMIT },
    holdProbeMs: all.HOLD_PROBE,
    bulkFloor: all.BULK_FLOOR,
    calls: {
      timeoutMs: all.CALL_TIMEOUT,
      attempts: all.CALL_ATTEMPTS,
      backoffBaseMs: all.BACKOFF_BASE,
      backoffCapMs: all.BACKOFF_CAP,
    },
    worker: {
      concurrency: all.WORKER_CONCURRENCY,
      shutdownGraceMs: all.SHUTDOWN_GRACE,
      metricsHost: all.METRICS_HOST,
      metricsPort: all.METRICS_PORT,
    },
    ...keysOf(all, localKeys),
    keyService: keyServiceOf(all, environment),
    aadhaarChecksum: all.AADHAAR_CHECKSUM,
    consentRequired: all.CONSENT_REQUIRED,
    audit: { dir: all.AUDIT_DIR ?? null, keepMs: all.AUDIT_KEEP },
    retention: { recordMs: all.RECORD_RETENTION, resultMs: all.RESULT_RETENTION },
    logLevel: all.LOG_LEVEL,
    paths,
    warnings: [...read.warnings, ...misspelt(environment, operations)],
  };
}

function ekoSettings(values: SettingValues): EkoSettings | null {
  const { EKO_DEVELOPER_KEY: developerKey, EKO_ACCESS_KEY: accessKey } = values;
  const { EKO_INITIATOR_ID: initiatorId, EKO_USER_CODE: userCode } = values;
  if (developerKey === undefined || accessKey === undefined) return null;
  if (initiatorId === undefined || userCode === undefined) return null;
  return {
    baseUrl: values.EKO_BASE_URL,
    developerKey,
    accessKey,
    initiatorId,
    userCode,
    aadhaarPublicKey: values.EKO_AADHAAR_PUBLIC_KEY ?? null,
    aepsAadhaarField: values.EKO_AEPS_AADHAAR_FIELD,
    quota: values.EKO_QUOTA,
  };
}

function deepvueSettings(values: SettingValues): DeepvueSettings | null {
  const { DEEPVUE_CLIENT_ID: clientId, DEEPVUE_CLIENT_SECRET: clientSecret } = values;
  if (clientId === undefined || clientSecret === undefined) return null;
  return { baseUrl: values.DEEPVUE_BASE_URL, clientId, clientSecret, quota: values.DEEPVUE_QUOTA };
}

/** The cross-checks have seen to it that both are set (or a key service is), or else the folder has its own. */
function keysOf(values: SettingValues, localKeys: SettingsSources["localKeys"]): Pick<Settings, "keys" | "subjectKey"> {
  const { SATYAPAN_ENCRYPTION_KEYS: keys = null, SATYAPAN_SUBJECT_KEY: subjectKey } = values;
  if (subjectKey !== undefined) return { keys, subjectKey };
  if (localKeys === undefined) throw new TypeError("settings without keys were not refused");
  return localKeys();
}

function keyServiceOf(values: SettingValues, environment: Environment): KeyServiceSettings | null {
  const { KEY_PROVIDER: address, KEY_PROVIDER_TOKEN: token = null } = values;
  if (address === undefined) return null;
  if (address.kind === "http") return { ...address, token };
  return { ...address, environment: () => withoutSecrets(environment) };
}

/** What a program of the operator's may see: everything but our own secrets and where they are. */
function withoutSecrets(environment: Environment): Environment {
  const secret = new Set(SETTINGS.filter((setting) => setting.secret).flatMap(({ name }) => [name, `${name}_FILE`]));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.has(name)));
}

function wrongSettings(problems: readonly string[]): SatyapanError {
  const [only, ...more] = problems;
  if (only !== undefined && more.length === 0) return new SatyapanError(ErrorCode.BAD_SETTINGS, only);
  const lines = problems.map((problem) => `\n  ${problem}`).join("");
  return new SatyapanError(ErrorCode.BAD_SETTINGS, `the settings are wrong, so nothing was started:${lines}`);
}
