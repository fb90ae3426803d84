import { isIPv6 } from "node:net";
import { assertNever } from "../base/assert-never.ts";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { Secret } from "../secrets/secret.ts";

export interface RedisAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username?: string;
  readonly password?: Secret;
}

/** Where a Redis is and how to log in, as `REDIS_URL` says it. `db` is the number of a database, 0 where nothing is said. */
export type RedisTarget =
  | ({
      readonly kind: "standalone";
      readonly address: RedisAddress;
      readonly tls: boolean;
      readonly db: number;
    } & Credentials)
  | ({ readonly kind: "unix"; readonly path: string; readonly db?: number } & Credentials)
  | ({
      readonly kind: "sentinel";
      readonly sentinels: readonly RedisAddress[];
      /** The name under which the sentinels watch the master. */
      readonly master: string;
      readonly tls: boolean;
      readonly db: number;
      /** How to log in at the sentinels themselves, where that is needed. */
      readonly sentinelUsername?: string;
      readonly sentinelPassword?: Secret;
    } & Credentials)
  | ({ readonly kind: "cluster"; readonly nodes: readonly RedisAddress[]; readonly tls: boolean } & Credentials);

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;

const FORMS = [
  "redis://[user:password@]host[:6379][/db]",
  "unix:///path/to/socket[?db=0]",
  "redis+sentinel://[user:password@]host1[:26379],host2/master-name[/db][?sentinel_username=…&sentinel_password=…]",
  "redis+cluster://[user:password@]host1[:6379],host2",
];

/**
 * Reads a `REDIS_URL`; `FORMS` and, with TLS, the same with `rediss`. Not a WHATWG URL: it may have several hosts.
 * @throws SatyapanError BAD_SETTINGS, which names `REDIS_URL` and repeats nothing of it that could be the password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const match = /^(redis|rediss|unix|rediss?\+sentinel|rediss?\+cluster):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/.exec(
    text.trim(),
  );
  const [, scheme, authority, path, query] = match ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) {
    throw wrong(`must look like one of\n  ${FORMS.join("\n  ")}\nwith rediss for TLS`);
  }
  const at = authority.lastIndexOf("@");
  const parts: Parts = {
    credentials: readCredentials(authority.slice(0, Math.max(at, 0))),
    hosts: authority.slice(at + 1),
    segments: path
      .split("/")
      .slice(1)
      .map((segment) => decode(segment, "the path")),
    parameters: new URLSearchParams(query),
    tls: scheme.startsWith("rediss"),
  };
  if (scheme === "unix") return readUnix(parts);
  if (scheme.endsWith("+sentinel")) return readSentinel(parts);
  if (scheme.endsWith("+cluster")) return readCluster(parts);
  return readStandalone(parts);
}

/** The settings that name a Redis. */
export type RedisSetting = "REDIS_URL" | "KEYS_REDIS_URL";

/** For messages and logs: no user, no password. */
export function describeRedis(target: RedisTarget): string {
  switch (target.kind) {
    case "standalone":
      return `${schemeOf(target.tls)}://${list([target.address])}/${target.db}`;
    case "unix":
      return `unix://${target.path}${(target.db ?? 0) === 0 ? "" : `?db=${target.db}`}`;
    case "sentinel":
      return `${schemeOf(target.tls)}+sentinel://${list(target.sentinels)}/${target.master}/${target.db}`;
    case "cluster":
      return `${schemeOf(target.tls)}+cluster://${list(target.nodes)}`;
    default:
      return assertNever(target, "kind of Redis");
  }
}

/** Whether connections to it are encrypted. */
export function usesTls(target: RedisTarget): boolean {
  return target.kind !== "unix" && target.tls;
}

interface Parts {
  readonly credentials: Credentials;
  readonly hosts: string;
  /** The segments of the path, decoded. */
  readonly segments: readonly string[];
  readonly parameters: URLSearchParams;
  readonly tls: boolean;
}

function readStandalone({ credentials, hosts, segments, parameters, tls }: Parts): RedisTarget {
  allowParameters(parameters, []);
  const [address, second] = readAddresses(hosts, REDIS_PORT);
  if (address === undefined || second !== undefined) {
    throw wrong("has several hosts; write redis+cluster:// or redis+sentinel:// before them");
  }
  allowSegments(segments, 1, "a path; only the number of a database may follow the host, for example /0");
  return { kind: "standalone", address, tls, db: readDb(segments[0]), ...credentials };
}

function readUnix({ credentials, hosts, segments, parameters }: Parts): RedisTarget {
  allowParameters(parameters, ["db"]);
  if (hosts !== "")
    throw wrong("must have the whole path of the socket after unix://, with three slashes: unix:///path");
  if (segments.join("") === "") throw wrong("has no path of a socket after unix://");
  return { kind: "unix", path: `/${segments.join("/")}`, db: readDb(parameters.get("db") ?? ""), ...credentials };
}

function readSentinel({ credentials, hosts, segments, parameters, tls }: Parts): RedisTarget {
  allowParameters(parameters, ["sentinel_username", "sentinel_password"]);
  const [master = "", db] = segments;
  if (!/^[\w.-]+$/.test(master))
    throw wrong("must name the master after the sentinels: redis+sentinel://host1,host2/master-name");
  allowSegments(segments, 2, "a longer path than /master-name/db");
  const [username, password] = [parameters.get("sentinel_username"), parameters.get("sentinel_password")];
  return {
    kind: "sentinel",
    sentinels: readAddresses(hosts, SENTINEL_PORT),
    master,
    tls,
    db: readDb(db),
    ...(username === null ? {} : { sentinelUsername: username }),
    ...(password === null ? {} : { sentinelPassword: new Secret(password) }),
    ...credentials,
  };
}

function readCluster({ credentials, hosts, segments, parameters, tls }: Parts): RedisTarget {
  allowParameters(parameters, []);
  allowSegments(segments, 1, "a path; a Cluster has none");
  if (readDb(segments[0]) !== 0) throw wrong("names a database; a Cluster has only number 0");
  return { kind: "cluster", nodes: readAddresses(hosts, REDIS_PORT), tls, ...credentials };
}

/** `user:password`, `:password`, or nothing. */
function readCredentials(text: string): Credentials {
  if (text === "") return {};
  const colon = text.indexOf(":");
  if (colon === -1) throw wrong("has a user without a password; write user:password@, or :password@ without a user");
  const username = decode(text.slice(0, colon), "the user");
  const password = decode(text.slice(colon + 1), "the password");
  return { ...(username === "" ? {} : { username }), ...(password === "" ? {} : { password: new Secret(password) }) };
}

/** Nothing is repeated: with a `/`, `?` or `#` in a password that is not encoded, this is a part of it. */
function readAddresses(text: string, defaultPort: number): RedisAddress[] {
  return text.split(",").map((part, index) => {
    const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(part.trim()) ?? [];
    const host = bracketed ?? plain;
    const number = port === undefined ? defaultPort : Number(port);
    if (host === undefined || (bracketed !== undefined && !isIPv6(bracketed)) || number < 1 || number > 65_535) {
      throw wrong(
        `has no valid host and port at place ${index + 1}: write host, host:1234 or [::1]:1234, ` +
          "and in a password %2F for /, %3F for ?, %23 for #, %40 for @",
      );
    }
    return { host, port: number };
  });
}

function readDb(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^\d{1,5}$/.test(text)) throw wrong("has no number where the database is named; write for example /0");
  return Number(text);
}

function allowSegments(segments: readonly string[], most: number, what: string): void {
  if (segments.slice(most).some((segment) => segment !== "")) throw wrong(`has ${what}`);
}

/** Names only, and only those that look like one: a password that is not encoded may have ended up here. */
function allowParameters(parameters: URLSearchParams, allowed: readonly string[]): void {
  if ([...parameters.keys()].every((name) => allowed.includes(name))) return;
  const known = allowed.length === 0 ? "none is known here" : `known here: ${allowed.join(", ")}`;
  throw wrong(`has an unknown parameter after "?" (${known}); in a password write %3F for ?`);
}

function decode(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(`has a % in ${where} that encodes nothing; write %25 for %`);
  }
}

function schemeOf(tls: boolean): string {
  return tls ? "rediss" : "redis";
}

function list(addresses: readonly RedisAddress[]): string {
  return addresses.map(({ host, port }) => `${isIPv6(host) ? `[${host}]` : host}:${port}`).join(",");
}

function wrong(what: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_SETTINGS, `REDIS_URL ${what}`);
}
