import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { Environment } from "../base/setting.ts";
import { limitSettings } from "../limits/settings.ts";
import { type PathOwner, readPaths } from "../operations/path-settings.ts";
import { entrySettings } from "../operations/settings.ts";
import { retrySettings } from "../outcomes/settings.ts";
import { auditSettings } from "../privacy/audit/settings.ts";
import { keySettings, type LocalKeys } from "../privacy/keys/settings.ts";
import { hygieneSettings } from "../privacy/settings.ts";
import { deepvueSettings } from "../providers/deepvue/settings.ts";
import { ekoSettings } from "../providers/eko/settings.ts";
import { callSettings } from "../providers/settings.ts";
import { takingSettings } from "../queues/settings.ts";
import { retentionTimes } from "../records/settings.ts";
import { tlsProblems } from "../redis/certificates.ts";
import { redisSettings } from "../redis/settings.ts";
import { metricsSettings } from "../telemetry/settings.ts";
import { tracingSettings } from "../telemetry/tracing/settings.ts";
import { crossChecks } from "./cross-checks.ts";
import { SETTINGS } from "./definitions.ts";
import { misspelt } from "./misspelt.ts";
import { readSettings } from "./read-settings.ts";
import type { Settings } from "./settings.ts";

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
    ...redisSettings(all),
    eko: ekoSettings(all),
    deepvue: deepvueSettings(all),
    ...limitSettings(all),
    ...entrySettings(all),
    calls: { ...callSettings(all), ...retrySettings(all) },
    worker: { ...takingSettings(all), ...metricsSettings(all) },
    ...hygieneSettings(all),
    ...keySettings(all, { localKeys, environment: () => withoutSecrets(environment) }),
    audit: auditSettings(all),
    retention: retentionTimes(all),
    logLevel: all.LOG_LEVEL,
    logFormat: all.LOG_FORMAT,
    tracing: tracingSettings(all),
    paths,
    warnings: [...read.warnings, ...misspelt(environment, operations)],
  };
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
