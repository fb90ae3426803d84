import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode, SatyapanError } from "../../../src/base/error.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { describeRedis, parseRedisUrl, type RedisTarget } from "../../../src/redis/url.ts";

const near = { host: "localhost", port: 6379 };

const READ: [text: string, target: RedisTarget, printed: string][] = [
  ["redis://localhost", { kind: "standalone", address: near, tls: false, db: 0 }, "redis://localhost:6379/0"],
  ["redis://localhost/", { kind: "standalone", address: near, tls: false, db: 0 }, "redis://localhost:6379/0"],
  [
    "rediss://user:p%40ss@10.0.0.7:6380/3",
    {
      kind: "standalone",
      address: { host: "10.0.0.7", port: 6380 },
      tls: true,
      db: 3,
      username: "user",
      password: new Secret("p@ss"),
    },
    "rediss://10.0.0.7:6380/3",
  ],
  [
    "redis://:a@b:c@[::1]:7000",
    {
      kind: "standalone",
      address: { host: "::1", port: 7000 },
      tls: false,
      db: 0,
      password: new Secret("a@b:c"),
    },
    "redis://[::1]:7000/0",
  ],
  ["unix:///run/redis.sock", { kind: "unix", path: "/run/redis.sock", db: 0 }, "unix:///run/redis.sock"],
  [
    "unix://:pw@/a%20folder/redis.sock?db=2",
    { kind: "unix", path: "/a folder/redis.sock", db: 2, password: new Secret("pw") },
    "unix:///a folder/redis.sock?db=2",
  ],
  [
    "redis+sentinel://user:pw@h1,h2:26380/main/1",
    {
      kind: "sentinel",
      sentinels: [
        { host: "h1", port: 26379 },
        { host: "h2", port: 26380 },
      ],
      master: "main",
      tls: false,
      db: 1,
      username: "user",
      password: new Secret("pw"),
    },
    "redis+sentinel://h1:26379,h2:26380/main/1",
  ],
  [
    "rediss+sentinel://h1/main?sentinel_username=watch&sentinel_password=p%2Fw",
    {
      kind: "sentinel",
      sentinels: [{ host: "h1", port: 26379 }],
      master: "main",
      tls: true,
      db: 0,
      sentinelUsername: "watch",
      sentinelPassword: new Secret("p/w"),
    },
    "rediss+sentinel://h1:26379/main/0",
  ],
  [
    "redis+cluster://:pw@h1:7000,h2:7001",
    {
      kind: "cluster",
      nodes: [
        { host: "h1", port: 7000 },
        { host: "h2", port: 7001 },
      ],
      tls: false,
      password: new Secret("pw"),
    },
    "redis+cluster://h1:7000,h2:7001",
  ],
  [
    "rediss+cluster://h1",
    { kind: "cluster", nodes: [{ host: "h1", port: 6379 }], tls: true },
    "rediss+cluster://h1:6379",
  ],
];

const REFUSED: [text: string, because: RegExp][] = [
  ["", /must look like one of\n {2}redis:\/\//],
  ["localhost:6379", /must look like one of/],
  ["http://localhost", /must look like one of/],
  ["redis:localhost", /must look like one of/],
  ["redis://localhost#1", /must look like one of/],
  ["redis://", /no valid host and port at place 1/],
  ["redis://host:0", /no valid host and port/],
  ["redis://host:65536", /no valid host and port/],
  ["redis://[::zz]:1", /no valid host and port/],
  ["redis://:pass/word@host", /no valid host and port .* %2F for \//],
  ["redis://user@host", /a user without a password/],
  ["redis://h1,h2", /several hosts; write redis\+cluster/],
  ["redis://host/x", /no number where the database is named/],
  ["redis://host/1/2", /only the number of a database/],
  ["redis://host?db=1", /unknown parameter/],
  ["redis://:100%@host", /a % in the password/],
  ["unix://run/redis.sock", /three slashes/],
  ["unix:///", /no path of a socket/],
  ["unix:///s?timeout=1", /unknown parameter .*known here: db/],
  ["redis+sentinel://h1,h2", /must name the master/],
  ["redis+sentinel://h1,,h2/main", /no valid host and port at place 2/],
  ["redis+sentinel://h1/main/0/x", /a longer path/],
  ["redis+cluster://h1/3", /a Cluster has only number 0/],
];

describe("a REDIS_URL", () => {
  it.each(READ)("%s is read, and printed without user and password", (text, target, printed) => {
    const read = parseRedisUrl(text);
    expect(opened(read)).toEqual(opened(target));
    expect(describeRedis(read)).toBe(printed);
  });

  it.each(REFUSED)("%j is refused with a reason", (text, because) => {
    expect(() => parseRedisUrl(text)).toThrow(
      expect.objectContaining({ code: ErrorCode.BAD_SETTINGS, message: expect.stringMatching(because) as string }),
    );
    expect(() => parseRedisUrl(text)).toThrow(/^REDIS_URL /);
  });

  it("never shows its password, whatever is wrong with it", () => {
    const scheme = fc.constantFrom("redis", "rediss+sentinel", "redis+cluster", "unix", "redis ", "http");
    const rest = fc.constantFrom("@h:1", "@h:99999", "@", "@h1,h2/main/x", "", "@h/1?x=1", "@/path?y=2", "#@h");
    fc.assert(
      fc.property(scheme, fc.string({ minLength: 6 }), rest, (name, end, tail) => {
        const password = `Sesame${end}`;
        const text = `${name}://:${password}${tail}`;
        expect(shown(text)).not.toContain("Sesame");
      }),
    );
  });
});

/** Secrets as their text, so that `toEqual` compares it. */
function opened(target: RedisTarget): unknown {
  return Object.fromEntries(
    Object.entries(target).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Secret ? value.open() : value,
    ]),
  );
}

function shown(text: string): string {
  try {
    const target = parseRedisUrl(text);
    return describeRedis(target) + JSON.stringify(target);
  } catch (error) {
    if (error instanceof SatyapanError) return error.message;
    throw error;
  }
}
