import { ErrorCode, SatyapanError } from "../base/error.ts";
import type { RedisSetting } from "./url.ts";

/** `address`: of `describeRedis`; `failure`: of `reasonOf`; `setting`: the one that names that Redis. */
export function unreachable(address: string, failure: string, setting: RedisSetting = "REDIS_URL"): SatyapanError {
  const remedies = address.startsWith("rediss") ? [...REMEDIES, ...TLS_REMEDIES] : [...REMEDIES, ...PLAIN_REMEDIES];
  const known = remedies.find(([pattern]) => pattern.test(failure))?.[1];
  const remedy = (known ?? "Start it, or set REDIS_URL to one that runs.").replaceAll("REDIS_URL", setting);
  return new SatyapanError(ErrorCode.REDIS_UNREACHABLE, `Redis at ${address} cannot be reached: ${failure}. ${remedy}`);
}

type Remedies = readonly (readonly [RegExp, string])[];

/** The first that fits. The texts are those of Redis, of OpenSSL 3 and of Node 24. */
const REMEDIES: Remedies = [
  [/NOPERM/, "Give its user what its role needs (deploy/redis/users.acl), or name another user in REDIS_URL."],
  [/max number of clients/, "It has as many clients as its maxclients allows: raise it, or close some."],
  [/WRONGPASS|NOAUTH|AUTH /, "Correct the user and password in REDIS_URL."],
  [/DB index/, "Name in REDIS_URL a database that it has."],
  [/is not Redis/, "Set REDIS_URL to the port of a Redis (6379, of a sentinel 26379, unless they were given others)."],
  [
    /unknown command .?sentinel/i,
    "Name a sentinel in REDIS_URL (26379 by default), or begin it with redis:// or rediss://.",
  ],
  [/cluster support disabled/, "Begin REDIS_URL with redis:// or rediss://."],
  [/unknown command/, "Set REDIS_URL to a Redis of version 6.2 or newer, or a Valkey."],
];

const PLAIN_REMEDIES: Remedies = [
  [/speaks TLS/, "Begin REDIS_URL with rediss://."],
  [/no answer/, "Wait until it answers, look what it does, or set REDIS_URL to one that answers."],
  // What it says before it hangs up is not always read: our own first words meet a closed door.
  [
    /connection was closed|ECONNRESET|EPIPE/,
    "Start it; if it runs, it may have as many clients as its maxclients allows, or speak TLS (begin REDIS_URL with rediss://).",
  ],
];

const TLS_REMEDIES: Remedies = [
  [/self-signed certificate|unable to (get|verify)/, "Set REDIS_TLS_CA to the authority that signed its certificate."],
  [/alert certificate expired/, "It refuses our certificate: renew the one in REDIS_TLS_CERT."],
  // A reset may arrive before the alert that says why.
  [
    /alert|connection was closed|ECONNRESET/,
    "It may want a client certificate of its own authority: set REDIS_TLS_CERT and REDIS_TLS_KEY to a valid pair.",
  ],
  [/certificate has expired/, "Renew the certificate of the server."],
  [/certificate is not yet valid/, "Set the clocks of both machines (NTP)."],
  [/altnames/, "Name it in REDIS_URL as its certificate does."],
  [/speaks no TLS/, "Begin REDIS_URL with redis://, or name the port that speaks TLS."],
  // A Redis without TLS waits for more of what it takes for a command.
  [
    /no answer|timeout|ETIMEDOUT|before secure TLS/,
    "Start it; if its port speaks no TLS, begin REDIS_URL with redis://.",
  ],
];

/**
 * ioredis hangs the command on its errors: on that of a refused login, HELLO with the password. Whoever listens after
 * `connectRedis` (BullMQ) gets the same object, and may log it.
 */
export function removeCommand(error: Error): void {
  if ("command" in error) delete error.command;
  if ("lastNodeError" in error && error.lastNodeError instanceof Error) removeCommand(error.lastNodeError);
  if (error.cause instanceof Error) removeCommand(error.cause);
}

/** What a server sends that does not speak as Redis does: by the first byte (ioredis). */
const STRANGER = /^Unknown RESP type (\d+)/;
/** The first byte of a TLS alert. */
const TLS_ALERT = "21";
/** `401D6E15347F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/…` */
const OPENSSL = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/;

/** The reason in words, on one line. Where several addresses all refuse, Node says only a code. */
export function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${reasonOf(error.cause)}` : "";
  if ("lastNodeError" in error && error.lastNodeError instanceof Error) {
    const reason = reasonOf(error.lastNodeError);
    return reason === "Connection is closed" ? `none of its nodes takes a connection${cause}` : reason;
  }
  if (cause !== "" && error.message.startsWith("All sentinels are unreachable"))
    return `none of its sentinels answers${cause}`;
  const text = error.message !== "" || !("code" in error) ? error.message : String(error.code);
  const stranger = STRANGER.exec(text)?.[1];
  if (stranger !== undefined) {
    return stranger === TLS_ALERT ? "its port speaks TLS" : "what answers there is not Redis";
  }
  const ssl = OPENSSL.exec(text)?.[1];
  if (ssl === "wrong version number" || ssl === "packet length too long") return "its port speaks no TLS";
  return (ssl ?? text).trim().replace(/\.$/, "");
}
