import { DEEPVUE_CREDENTIAL } from "../providers/deepvue/settings.ts";
import { EKO_CREDENTIAL } from "../providers/eko/settings.ts";
import type { Secret } from "../secrets/secret.ts";
import { formatDuration } from "../base/duration.ts";
import { settingOf, type SettingName } from "./definitions.ts";
import type { ReadSettings } from "./read-settings.ts";

const KEYS = ["SATYAPAN_ENCRYPTION_KEYS", "SATYAPAN_SUBJECT_KEY"] as const satisfies readonly SettingName[];
const HOW_TO_MAKE = {
  SATYAPAN_ENCRYPTION_KEYS: "set it to k1:KEY, where KEY is what `openssl rand -base64 32` prints",
  SATYAPAN_SUBJECT_KEY: "set it to what another `openssl rand -base64 32` prints",
} as const satisfies Record<(typeof KEYS)[number], string>;

/** A line for each setting that does not fit the others; a value that is wrong by itself is told elsewhere. */
export function crossChecks(read: ReadSettings, hasLocalKeys: boolean): readonly string[] {
  return [
    ...timings(read),
    ...[EKO_CREDENTIAL, DEEPVUE_CREDENTIAL].flatMap((names) => missingOf(names, read.given)),
    ...missingKeys(read.given, hasLocalKeys),
    ...tokenWithoutService(read),
    ...heartbeatToProvider(read),
    ...sameRedis(read),
    ...sharedKey(read),
  ];
}

function* timings({ values, wrong }: ReadSettings): Iterable<string> {
  const { CALL_TIMEOUT: timeout, SHUTDOWN_GRACE: grace, BACKOFF_BASE: base, BACKOFF_CAP: cap } = values;
  if (grace <= timeout && !wrong.has("CALL_TIMEOUT") && !wrong.has("SHUTDOWN_GRACE")) {
    yield (
      `SHUTDOWN_GRACE (${formatDuration(grace)}) must be longer than CALL_TIMEOUT (${formatDuration(timeout)}), ` +
      "or every deploy kills calls: raise it or lower the other"
    );
  }
  if (cap < base && !wrong.has("BACKOFF_BASE") && !wrong.has("BACKOFF_CAP")) {
    yield (
      `BACKOFF_CAP (${formatDuration(cap)}) must be at least BACKOFF_BASE (${formatDuration(base)}): ` +
      "raise it or lower the other"
    );
  }
  const { RESULT_RETENTION: results, RECORD_RETENTION: records } = values;
  if (results > records && !wrong.has("RESULT_RETENTION") && !wrong.has("RECORD_RETENTION")) {
    yield (
      `RESULT_RETENTION (${formatDuration(results)}) must be at most RECORD_RETENTION (${formatDuration(records)}): ` +
      "a result goes with its record"
    );
  }
}

function missingOf(names: readonly SettingName[], given: ReadSettings["given"]): readonly string[] {
  const set = names.filter((name) => given.has(name));
  if (set.length === 0) return [];
  const missing = names.filter((name) => !given.has(name));
  const others = `${set.join(", ")} ${set.length === 1 ? "is" : "are"} set`;
  return missing.map((name) => `${name} is missing, while ${others}: set ${places(name)}, or none of them`);
}

/** Without any, the folder's own are taken, unless another machine needs the same. A key service stands for the ring. */
function missingKeys(given: ReadSettings["given"], hasLocalKeys: boolean): readonly string[] {
  const hasService = given.has("KEY_PROVIDER");
  const missing = KEYS.filter((name) => !given.has(name) && !(hasService && name === "SATYAPAN_ENCRYPTION_KEYS"));
  const shared = given.has("REDIS_URL");
  const none = !KEYS.some((name) => given.has(name));
  if (none && hasLocalKeys && !shared) return [];
  let why = none ? "no keys can be made here" : "only the other key is set";
  if (shared) why = "with REDIS_URL set, all processes need the same keys";
  return missing.map((name) => `${name} is missing (${why}): ${HOW_TO_MAKE[name]}`);
}

function tokenWithoutService({ values, given, wrong }: ReadSettings): readonly string[] {
  if (!given.has("KEY_PROVIDER_TOKEN") || wrong.has("KEY_PROVIDER") || values.KEY_PROVIDER?.kind === "http") return [];
  return ["KEY_PROVIDER_TOKEN has no use: set KEY_PROVIDER to the URL of the key service, or take it away"];
}

/** No provider is to be asked what it has no answer to, with a credential that is none. In the clear it is a simulator. */
function heartbeatToProvider({ values }: ReadSettings): readonly string[] {
  const { HEARTBEAT_BASE_URL: heartbeat, EKO_BASE_URL: eko, DEEPVUE_BASE_URL: deepvue } = values;
  if (heartbeat?.protocol !== "https:") return [];
  const isProvider = [eko, deepvue].some((url) => url.hostname === heartbeat.hostname);
  return isProvider
    ? ["HEARTBEAT_BASE_URL must not be a provider's: leave it out, or set it to a host of your own"]
    : [];
}

/** Another database of the same server is in the same backup. */
function sameRedis({ values }: ReadSettings): readonly string[] {
  const { REDIS_URL: jobs, KEYS_REDIS_URL: keys } = values;
  if (jobs === undefined || keys === undefined || serverOf(jobs) !== serverOf(keys)) return [];
  return [
    "KEYS_REDIS_URL must be another server than REDIS_URL, or every backup of the jobs holds their data keys: leave it out",
  ];
}

/** The part that says where, as it was written. */
function serverOf(url: Secret): string {
  const [, rest = ""] = url.open().split("://");
  return (rest.split(/[?#]/)[0] ?? "").replace(/^.*@/, "").replace(/\/\d*$/, "");
}

function sharedKey({ values }: ReadSettings): readonly string[] {
  const { SATYAPAN_ENCRYPTION_KEYS: ring, SATYAPAN_SUBJECT_KEY: subject } = values;
  if (ring === undefined || subject === undefined) return [];
  if (!ring.has(subject.asKey())) return [];
  return [`SATYAPAN_SUBJECT_KEY must not be one of SATYAPAN_ENCRYPTION_KEYS: ${HOW_TO_MAKE.SATYAPAN_SUBJECT_KEY}`];
}

function places(name: SettingName): string {
  return settingOf(name).file ? `it or ${name}_FILE` : "it";
}
