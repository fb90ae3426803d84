import { SatyapanError } from "../base/error.ts";
import { type ValuesOf, withoutDefault } from "../base/setting.ts";
import { Complaint, textSchema, type TextSchema } from "../base/text.ts";
import { Secret } from "../secrets/secret.ts";
import { certificatesSchema, privateKeySchema, redisTlsOf } from "./certificates.ts";
import type { RedisTls } from "./tls.ts";
import { parseRedisUrl, type RedisSetting } from "./url.ts";

export interface RedisSettings {
  /** Null: the embedded Redis of this folder (design §7). A `Secret` because it may hold a password. */
  readonly redisUrl: Secret | null;
  /** Counts only where `redisUrl` (or `keysRedisUrl`) says `rediss`. */
  readonly redisTls: RedisTls;
  /** Which setting `redisUrl` is of, for messages. Default: `REDIS_URL`. */
  readonly redisSetting?: RedisSetting;
}

/** Where Redis is. No message repeats it: it may hold a password. */
export const redisUrlSchema: TextSchema<Secret> = textSchema("redis, rediss, redis+sentinel … URL", (text) => {
  try {
    parseRedisUrl(text);
    return new Secret(text);
  } catch (error) {
    if (!(error instanceof SatyapanError)) throw error;
    return new Complaint(error.message.replace(/^REDIS_URL /, "").replaceAll(/\s*\n\s*/g, " "));
  }
});

export const REDIS_SETTINGS = {
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
};

export function redisSettings(values: ValuesOf<typeof REDIS_SETTINGS>): RedisSettings {
  return { redisUrl: values.REDIS_URL ?? null, redisTls: redisTlsOf(values) };
}
