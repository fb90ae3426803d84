/**
 * The Redis users of this project, each with the least that its role needs. `npx node deploy/redis/users.ts` prints
 * deploy/redis/users.acl, and with `6.2` as its argument deploy/redis/users-6.2.acl: an ACL file has no comments and no
 * continued lines, so that what is why stands here. Nobody can log in before a password is added (deploy/secrets.sh).
 */
export const ROLES = ["producer", "worker", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** 7: key permissions by command (`(…)`, selectors), Redis ≥ 7.0 and Valkey. 6.2 has none. */
export type AclVersion = "7" | "6.2";

/** What every connection says first. INFO: ioredis asks whether Redis is loading, we for `noeviction` and the version. */
const CONNECTION = "ping select quit client|setname info acl|whoami";
const CLUSTER = "cluster|slots cluster|info readonly asking";
/** Which scripts these are their commands decide: each is checked as it is called. */
const SCRIPTS = "eval evalsha script|load script|exists multi exec discard";
/** The journal, the gate, and what BullMQ's scripts that add a job call. */
const HASHES = "hget hmget hgetall hset hmset hsetnx hdel hincrby hexists hlen";
const KEYS = "get mget set incr incrby del unlink exists type time pttl pexpire pexpireat persist";
const LISTS = "llen lrange lindex lpos lpush rpush lrem ltrim";
const SETS =
  "sadd srem scard sismember smembers zadd zrem zcard zcount zrange zrangebyscore zrevrange zrevrangebyscore zscore zrank";
/** A batch's states, a byte a row. */
const ROWS = "append strlen setrange getrange";
/** Appending only: what is in an outbox is read by workers. */
const APPEND = "xadd";
const MESSAGES = "publish subscribe unsubscribe";

/** What takes jobs: BullMQ's worker, the gate's permits. */
const WORK = "bzpopmin zpopmin zremrangebyrank zremrangebyscore rpoplpush rpop xtrim xlen object|encoding";
/** Outboxes are read and emptied, the audit's chain is continued. */
const OUTBOXES = "xread xrange xrevrange xdel xtrim xlen";
/** `satyapan scan`, and the sample that the privacy metric is made of. */
const SCAN = "scan hscan sscan zscan xinfo|groups xinfo|consumers";

interface Rules {
  /** Commands on the queues, the records, the gates. */
  readonly commands: readonly string[];
  /** Commands on the data keys, where they are others: only an operator destroys one. */
  readonly dataKeys: string | null;
  readonly keys: readonly string[];
  readonly channels: readonly string[];
}

const QUEUE_KEYS = ["bull:{eko-*}:*", "bull:{deepvue-*}:*", "satyapan:{eko-*}:*", "satyapan:{deepvue-*}:*"];
const CLAIMS = "satyapan:{*}:claim";
const DATA_KEYS = ["satyapan:{data-keys}", "satyapan:{data-keys}:*"];
const AUDIT_KEYS = "satyapan:{audit}:*";
/** The lease of the worker that does what one does for all. */
const WORKERS_KEYS = "satyapan:{workers}:*";
const CHANNELS = ["satyapan:settled", "satyapan:data-keys"];
const USE_DATA_KEYS = "eval evalsha hget hmget hgetall hset hincrby hexists";

const RULES = {
  /** Submits, shows, explains, settles. It finds no job whose id it does not know. */
  producer: {
    commands: [CONNECTION, CLUSTER, SCRIPTS, HASHES, KEYS, LISTS, SETS, ROWS, APPEND, MESSAGES, "client|list"],
    dataKeys: USE_DATA_KEYS,
    keys: [...QUEUE_KEYS, CLAIMS],
    channels: CHANNELS,
  },
  worker: {
    commands: [CONNECTION, CLUSTER, SCRIPTS, HASHES, KEYS, LISTS, SETS, ROWS, APPEND, MESSAGES, WORK, OUTBOXES, SCAN],
    dataKeys: `${USE_DATA_KEYS} type get getrange hscan`,
    keys: [...QUEUE_KEYS, CLAIMS, AUDIT_KEYS, WORKERS_KEYS],
    channels: CHANNELS,
  },
  /** All that the `satyapan` command does, with `keys`, `shred`, `audit`, `scan` and `failed`. */
  operator: {
    commands: [
      ...[
        CONNECTION,
        CLUSTER,
        SCRIPTS,
        HASHES,
        KEYS,
        LISTS,
        SETS,
        ROWS,
        APPEND,
        MESSAGES,
        WORK,
        OUTBOXES,
        SCAN,
        "client|list",
      ],
      // What was shredded must leave Redis' own files, which the scan asks for by CONFIG GET.
      "hvals dbsize bgrewriteaof bgsave config|get dump",
    ],
    dataKeys: null,
    keys: ["bull:*", "satyapan:*"],
    channels: ["satyapan:*"],
  },
} as const satisfies Record<Role, Rules>;

/** The commands a role may call, on any of its keys. */
export function commandsOf(role: Role, version: AclVersion): ReadonlySet<string> {
  const { commands, dataKeys } = RULES[role];
  return new Set([...commands, ...(version === "6.2" && dataKeys !== null ? [dataKeys] : [])].join(" ").split(" "));
}

/** The text of an ACL file. */
export function usersAcl(version: AclVersion): string {
  // Whoever does not log in may ask whether Redis lives, and nothing else.
  return ["user default on nopass resetchannels -@all +ping", ...ROLES.map((role) => line(role, version)), ""].join(
    "\n",
  );
}

function line(role: Role, version: AclVersion): string {
  const { keys, channels, dataKeys } = RULES[role];
  const ownKeys = version === "6.2" && dataKeys !== null ? [...keys, ...DATA_KEYS] : keys;
  return [
    `user satyapan-${role} on resetpass resetkeys resetchannels -@all`,
    ...ownKeys.map((name) => `~${name}`),
    ...channels.map((name) => `&${name}`),
    ...allowed(commandsOf(role, version)),
    ...(version === "6.2" || dataKeys === null ? [] : [selector(DATA_KEYS, dataKeys)]),
  ].join(" ");
}

/** What else is allowed, on these keys alone. */
function selector(keys: readonly string[], commands: string): string {
  return `(resetchannels -@all ${keys.map((name) => `~${name}`).join(" ")} ${allowed(commands.split(" ")).join(" ")})`;
}

function allowed(commands: Iterable<string>): string[] {
  return [...commands].toSorted().map((name) => `+${name}`);
}

if (import.meta.main) process.stdout.write(usersAcl(process.argv[2] === "6.2" ? "6.2" : "7"));
