import { z } from "zod";
import { quotaSchema, windowSchema } from "../limits/parse-quota.ts";
import { keyRingSchema } from "../privacy/keys/key-ring.ts";
import { durationSchema } from "../base/duration.ts";
import {
  baseUrlSchema,
  choiceSchema,
  delaysSchema,
  folderSchema,
  hmacKeySchema,
  hostSchema,
  idSchema,
  keyServiceSchema,
  redisUrlSchema,
  rsaPublicKeySchema,
  secretSchema,
  shareSchema,
  switchSchema,
  wholeNumberSchema,
} from "./schemas.ts";
import type { TextSchema } from "../base/text.ts";
import { certificatesSchema, privateKeySchema } from "./tls.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A setting as the documentation and `satyapan doctor` show it. */
export interface Setting {
  readonly name: string;
  /** As it would be written; null where there is none. */
  readonly default: string | null;
  /** Never shown, in no message. */
  readonly secret: boolean;
  /** Whether it is also taken from the file that `NAME_FILE` names: all secrets, and what is long or of several lines. */
  readonly file: boolean;
  /** What it accepts: `duration, 1ms to 10m`. */
  readonly takes: string;
  /** One or two sentences in Markdown. */
  readonly meaning: string;
}

type About = Omit<Setting, "name">;
type Told = Pick<About, "meaning"> & Partial<Pick<About, "secret" | "file">>;

const ABOUT = z.registry<About>();

function about<T>(schema: TextSchema<T>, text: string | null, told: Told): About {
  const { meaning, secret = false, file = secret } = told;
  return { default: text, secret, file, takes: schema.description ?? "", meaning };
}

function withDefault<T>(schema: TextSchema<T>, text: string, told: Told) {
  return schema.prefault(text).register(ABOUT, about(schema, text, told));
}

function withoutDefault<T>(schema: TextSchema<T>, told: Told) {
  return schema.optional().register(ABOUT, about(schema, null, told));
}

/** Every setting of design §6, except the paths of operations: those follow from the catalogue (`path-settings.ts`). */
export const settingsSchema = z.object({
  REDIS_URL: withoutDefault(redisUrlSchema, {
    secret: true,
    meaning: "Redis ≥ 6.2 or Valkey with `noeviction`. Unset: the commands of one folder share an embedded Redis.",
  }),
  REDIS_TLS_CA: withoutDefault(certificatesSchema, {
    file: true,
    meaning: "Authorities to trust for `rediss://`, and no others. Unset: those that Node knows.",
  }),
  REDIS_TLS_CERT: withoutDefault(certificatesSchema, {
    file: true,
    meaning: "Client certificate for `rediss://`, and what is between it and its authority.",
  }),
  REDIS_TLS_KEY: withoutDefault(privateKeySchema, { secret: true, meaning: "Private key of `REDIS_TLS_CERT`." }),

  EKO_BASE_URL: withDefault(baseUrlSchema, "https://api.eko.in/ekoicici/v3", {
    meaning: "Where Eko is. Its sandbox: `https://staging.eko.in/ekoapi/v3`.",
  }),
  EKO_DEVELOPER_KEY: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Header `developer_key`. Eko is served when this and the next three are set.",
  }),
  EKO_ACCESS_KEY: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Signs every Eko call; given as Eko gives it, not base64 of it.",
  }),
  EKO_INITIATOR_ID: withoutDefault(idSchema, {
    meaning: "`initiator_id` of every Eko call that does not bring its own.",
  }),
  EKO_USER_CODE: withoutDefault(idSchema, {
    meaning: "`user_code` of every Eko call that does not bring its own.",
  }),
  EKO_AADHAAR_PUBLIC_KEY: withoutDefault(rsaPublicKeySchema, {
    file: true,
    meaning: "Encrypts the Aadhaar number of AePS calls. Unset: those take only `aadhaar_encrypted`.",
  }),
  EKO_AEPS_AADHAAR_FIELD: withDefault(choiceSchema("aadhaar", "aadhar"), "aadhaar", {
    meaning: "Name of that number's field in AePS bodies: older and newer documents of Eko differ.",
  }),
  EKO_QUOTA: withDefault(quotaSchema, "10/1s", {
    meaning: "What Eko allows the credential, in all windows at once. Eko publishes none: ask for yours.",
  }),

  DEEPVUE_BASE_URL: withDefault(baseUrlSchema, "https://production.deepvue.tech", { meaning: "Where Deepvue is." }),
  DEEPVUE_CLIENT_ID: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Header `client-id`. Deepvue is served when this and the next are set.",
  }),
  DEEPVUE_CLIENT_SECRET: withoutDefault(secretSchema, { secret: true, meaning: "Header `x-api-key`." }),
  DEEPVUE_QUOTA: withDefault(quotaSchema, "1/1s,30/1m,1000/1d", {
    meaning: "What Deepvue allows the credential, in all windows at once.",
  }),
  DEEPVUE_PENDING_DELAYS: withDefault(delaysSchema({ least: 1, most: DAY }), "60s,120s,300s", {
    meaning: "Waits after Deepvue's 409 (an OTP is already under way), one for each further try.",
  }),

  OTP_COOLDOWN: withDefault(durationSchema({ most: DAY }), "60s", {
    meaning: "Time in which no second OTP is asked for one person. `0s` switches it off.",
  }),
  OTP_LIMIT: withDefault(windowSchema, "5/30m", {
    meaning: "How many OTPs one person is sent at most in any such time, whatever the cooldown allows.",
  }),
  AADHAAR_CHECKSUM: withDefault(switchSchema, "on", {
    meaning: "Verhoeff check of Aadhaar numbers. The providers' own test numbers need `off`.",
  }),

  CONSENT_REQUIRED: withDefault(choiceSchema("deepvue", "all"), "deepvue", {
    meaning:
      "Which jobs are refused without `consent`: Deepvue's, or all about an Aadhaar number. What is given is recorded before the first call.",
  }),

  CALL_TIMEOUT: withDefault(durationSchema({ least: 1, most: 10 * MINUTE }), "30s", {
    meaning: "Longest time of one HTTP call, from its first byte written to the last byte read.",
  }),
  CALL_ATTEMPTS: withDefault(wholeNumberSchema(1, 100), "5", {
    meaning: "Attempts of a job that cost one.",
  }),
  BACKOFF_BASE: withDefault(durationSchema({ least: 1, most: HOUR }), "1s", {
    meaning: "First wait after `unavailable`; doubles each time, with full jitter.",
  }),
  BACKOFF_CAP: withDefault(durationSchema({ least: 1, most: DAY }), "60s", {
    meaning: "Longest of those waits; at least `BACKOFF_BASE`.",
  }),

  HOLD_PROBE: withDefault(durationSchema({ least: 1, most: DAY }), "5m", {
    meaning: "After the provider refused a credential, an agent or an initiator: when one job may try again.",
  }),
  BULK_FLOOR: withDefault(shareSchema, "10%", {
    meaning: "Share of a scarce quota that bulk jobs get though interactive ones wait.",
  }),

  WORKER_CONCURRENCY: withDefault(wholeNumberSchema(1, 1_000), "50", {
    meaning: "Jobs at once per queue and process.",
  }),
  SHUTDOWN_GRACE: withDefault(durationSchema({ least: 1, most: HOUR }), "35s", {
    meaning: "Time from SIGTERM to the hard stop; longer than `CALL_TIMEOUT`, or every deploy kills calls.",
  }),
  ALLOW_DEBUGGER: withDefault(switchSchema, "off", {
    meaning:
      "`on` lets a worker call real providers though a debugger, dumps or debug output could give clear values away.",
  }),
  METRICS_PORT: withDefault(wholeNumberSchema(0, 65_535), "9464", {
    meaning: "Port of `/metrics`, `/healthz` and `/readyz`; `0` takes a free one.",
  }),
  METRICS_HOST: withDefault(hostSchema, "127.0.0.1", {
    meaning: "Address to listen on for them; `0.0.0.0` is all of this machine's, for those who ask from another one.",
  }),
  LOG_LEVEL: withDefault(choiceSchema("trace", "debug", "info", "warn", "error", "fatal", "silent"), "info", {
    meaning: "Least level that is logged, to stderr.",
  }),
  RECORD_RETENTION: withDefault(durationSchema({ least: MINUTE, most: 3_650 * DAY }), "30d", {
    meaning: "How long a settled job's record is kept, and with it the memory of its id.",
  }),
  RESULT_RETENTION: withDefault(durationSchema({ least: MINUTE, most: 365 * DAY }), "24h", {
    meaning:
      "How long the sealed part of a result is kept, and the input of a job that failed or is `unknown`; at most `RECORD_RETENTION`.",
  }),

  AUDIT_DIR: withoutDefault(folderSchema, {
    meaning: "Folder of the audit log's files, a worker's own or shared. Unset: the log is only in Redis.",
  }),
  AUDIT_KEEP: withDefault(durationSchema({ least: HOUR, most: 3_650 * DAY }), "30d", {
    meaning: "How long audit entries stay in Redis. With `AUDIT_DIR`, only what its files have is taken out.",
  }),

  SATYAPAN_ENCRYPTION_KEYS: withoutDefault(keyRingSchema, {
    secret: true,
    meaning:
      "AES-256 keys that wrap the data keys, the same for all processes. New key: put it first, then `satyapan keys rotate` " +
      "and `satyapan keys retire OLD`. Unset with `REDIS_URL` unset: made once and kept in `.satyapan/keys.json`.",
  }),
  KEY_PROVIDER: withoutDefault(keyServiceSchema, {
    meaning:
      "Who wraps the data keys instead of the keys above (which then only unwrap what they wrapped): a program, or a web " +
      "service. See `docs/privacy.md`.",
  }),
  KEY_PROVIDER_TOKEN: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Sent to that web service as `authorization: Bearer …`.",
  }),
  KEYS_REDIS_URL: withoutDefault(redisUrlSchema, {
    secret: true,
    meaning:
      "A Redis of the data keys' own, so that no backup of the jobs' Redis holds any. Unset: they are in that of `REDIS_URL`.",
  }),
  SATYAPAN_SUBJECT_KEY: withoutDefault(hmacKeySchema, {
    secret: true,
    meaning: "HMAC key by which a person is known in Redis; none of the sealing keys. Unset: as above.",
  }),
});

/** What the texts become; `undefined` where one is unset and has no default. */
export type SettingValues = z.output<typeof settingsSchema>;
export type SettingName = keyof SettingValues;
/** Settings as they were given. */
export type SettingTexts = z.input<typeof settingsSchema>;

export const SETTING_NAMES: readonly SettingName[] = settingsSchema.keyof().options;

export const SETTINGS: readonly Setting[] = SETTING_NAMES.map((name) => ({ name, ...aboutSetting(name) }));

export function aboutSetting(name: SettingName): About {
  const found = ABOUT.get(settingsSchema.shape[name]);
  if (found === undefined) throw new TypeError(`the setting ${name} is not described`);
  return found;
}
