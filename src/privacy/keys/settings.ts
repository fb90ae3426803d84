import { isAbsolute } from "node:path";
import { durationSchema } from "../../base/duration.ts";
import { type Environment, type ValuesOf, withDefault, withoutDefault } from "../../base/setting.ts";
import { Complaint, textSchema, type TextSchema } from "../../base/text.ts";
import { baseUrlSchema, choiceSchema } from "../../base/text-schemas.ts";
import { DAY } from "../../base/time.ts";
import { redisUrlSchema } from "../../redis/settings.ts";
import { Secret } from "../../secrets/secret.ts";
import { secretSchema } from "../../secrets/secret-schema.ts";
import type { KeyCommand } from "./command-key-provider.ts";
import type { KeyEndpoint } from "./http-key-provider.ts";
import { type KeyRing, keyRingSchema, readKey } from "./key-ring.ts";

export interface KeySettings {
  /** Where the data keys are. Null: in the Redis of the jobs. */
  readonly keysRedisUrl: Secret | null;
  /** Wrap the data keys. Null: a key service wraps them all. */
  readonly keys: KeyRing | null;
  /** Wraps the data keys instead of the ring, which then only unwraps. Null: the ring wraps. */
  readonly keyService: KeyServiceSettings | null;
  /** HMAC key of subjects and input digests: base64 of 32 bytes; its own key, never one that seals. */
  readonly subjectKey: Secret;
  /** How long one key is to wrap, in ms: told before it is over. Default 365 d. */
  readonly keyLifeMs: number;
  /** The secrets of an input are sealed in one piece, not field by field. Default false: the version before cannot open that. */
  readonly sealsWhole: boolean;
}

/** Where keys come from besides the ring: KEY_PROVIDER. */
export type KeyServiceSettings =
  ({ readonly kind: "command" } & KeyCommand) | ({ readonly kind: "http" } & KeyEndpoint);

/** The service that wraps data keys: a program with its arguments (split at spaces, no shell), or a URL. */
type KeyServiceAddress =
  | { readonly kind: "command"; readonly program: string; readonly args: readonly string[] }
  | { readonly kind: "http"; readonly url: URL };

/** `command:/path/to/program arg…`, or a URL as `baseUrlSchema` takes it. No message repeats it. */
const keyServiceSchema: TextSchema<KeyServiceAddress> = textSchema(
  "`command:/path/to/program arg…`, or https URL without query",
  (text) => {
    if (text.startsWith("command:")) {
      const [program = "", ...args] = text.slice("command:".length).trim().split(/ +/);
      if (isAbsolute(program)) return { kind: "command", program, args };
      return new Complaint("must give the program's whole path: command:/path/to/program");
    }
    const url = baseUrlSchema.safeParse(text);
    if (url.success) return { kind: "http", url: url.data };
    const why = url.error.issues.map(({ message }) => message.replace(/^must be a URL.*$/, "")).join("");
    return new Complaint(why === "" ? "must be command:/path/to/program, or a URL like https://keys.example.com" : why);
  },
);

/** 32 bytes of base64 for HMAC, kept as base64. No message repeats it. */
export const hmacKeySchema: TextSchema<Secret> = textSchema("32 bytes in base64", (text) => {
  const key = readKey(text);
  if (key === undefined) return new Complaint("must be 32 bytes in base64: `openssl rand -base64 32` makes it");
  return new Secret(key.export().toString("base64"));
});

export const KEY_SETTINGS = {
  SATYAPAN_ENCRYPTION_KEYS: withoutDefault(keyRingSchema, {
    secret: true,
    meaning:
      "AES-256 keys that wrap the data keys, the same for all processes. New key: put it first, then `satyapan keys rotate` " +
      "and `satyapan keys retire OLD`. Unset with `REDIS_URL` unset: made once and kept in `.satyapan/keys.json`.",
  }),
  KEY_LIFE: withDefault(durationSchema({ least: 60 * DAY, most: 3_650 * DAY }), "365d", {
    meaning: "How long the first of them is to wrap; 30 days before, an alert asks for a new one.",
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
  SEAL_INPUTS: withDefault(choiceSchema("fields", "whole"), "fields", {
    meaning:
      "`whole` seals all secrets of an input in one piece, which costs a call less. Only once every worker is of a version that " +
      "has this setting: those before end such jobs as failed.",
  }),
};

/** The keys of one folder that shares an embedded Redis. */
export interface LocalKeys {
  readonly keys: KeyRing;
  readonly subjectKey: Secret;
}

type Values = ValuesOf<typeof KEY_SETTINGS>;

export interface KeySources {
  /** The folder's own keys, for settings without any. */
  readonly localKeys: (() => LocalKeys) | undefined;
  /** What a key program may see of the environment. */
  readonly environment: () => Environment;
}

export function keySettings(values: Values, { localKeys, environment }: KeySources): KeySettings {
  return {
    keysRedisUrl: values.KEYS_REDIS_URL ?? null,
    ...keysOf(values, localKeys),
    keyService: keyServiceOf(values, environment),
    keyLifeMs: values.KEY_LIFE,
    sealsWhole: values.SEAL_INPUTS === "whole",
  };
}

/** `config` has seen to it that both are set (or a key service is), or else the folder has its own. */
function keysOf(values: Values, localKeys: KeySources["localKeys"]): Pick<KeySettings, "keys" | "subjectKey"> {
  const { SATYAPAN_ENCRYPTION_KEYS: keys = null, SATYAPAN_SUBJECT_KEY: subjectKey } = values;
  if (subjectKey !== undefined) return { keys, subjectKey };
  if (localKeys === undefined) throw new TypeError("settings without keys were not refused");
  return localKeys();
}

function keyServiceOf(values: Values, environment: KeySources["environment"]): KeyServiceSettings | null {
  const { KEY_PROVIDER: address, KEY_PROVIDER_TOKEN: token = null } = values;
  if (address === undefined) return null;
  return address.kind === "http" ? { ...address, token } : { ...address, environment };
}
