import { tmpdir } from "node:os";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AclVersion, commandsOf, type Role, ROLES, usersAcl } from "../../deploy/redis/users.ts";
import { Client } from "../../producers/client.ts";
import type { Finding } from "../../producers/doctor/diagnose.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { type Simulator, startSimulator } from "../../simulator/simulator.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { DataKeyStore } from "../../src/privacy/keys/data-key-store.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { RedisPair } from "../../src/redis/pair.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { runWorker } from "../../workers/run-worker.ts";
import { satyapan } from "../support/command.ts";
import { readTestEnv } from "../support/env.ts";
import { LocalServer } from "../support/local-server.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { TEST_REDIS_ARGS } from "../support/test-server.ts";
import { bundleEnv } from "../support/worker.ts";
import { readText } from "./compose-file.ts";

/** For the test itself: it looks at what was refused. */
const ADMIN = "user admin on nopass ~* &* +@all\n";

/** A Redis with the users of a file, each with the password `of-ROLE`, and a simulator. */
class UsersBundle implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #socket: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(stack: AsyncDisposableStack, socket: string, simulator: Simulator) {
    this.#stack = stack;
    this.#socket = socket;
    // The same keys for all roles.
    this.#env = { ...bundleEnv(simulator, "unix:///set-below"), OTP_COOLDOWN: "0s", CALL_ATTEMPTS: "1" };
  }

  static async start(version: AclVersion): Promise<UsersBundle> {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const file = join(dir.path, "users.acl");
    const users = usersAcl(version).replaceAll(/^user satyapan-(\w+) on resetpass/gm, "$& >of-$1");
    await writeFile(file, users + ADMIN);
    const args = ["--port", "0", ...TEST_REDIS_ARGS, "--aclfile", file];
    await stack.use(await LocalServer.create(dir.path, args)).start();
    const simulator = stack.use(await startSimulator());
    return new UsersBundle(stack.move(), join(dir.path, "redis.sock"), simulator);
  }

  /** The environment of a process of this role. */
  env(role: Role | "default"): Record<string, string> {
    const login = role === "default" ? "" : `satyapan-${role}:of-${role}@`;
    return { ...this.#env, REDIS_URL: `unix://${login}${this.#socket}` };
  }

  settings(role: Role): Settings {
    return parseSettings(this.env(role), { readFile: () => "", operations: OPERATIONS });
  }

  client(role: Role): Client {
    const settings = this.settings(role);
    return this.#stack.use(
      new Client({
        tmpDir: tmpdir(),
        settings,
        openRedis: async () => await open(settings),
        actor: "command:test",
        now: Date.now,
      }),
    );
  }

  async startWorker(): Promise<void> {
    const settings = this.settings("worker");
    const redis = this.#stack.use(await RedisPair.open(settings, open));
    const logger = createLogger("silent", process.stderr);
    const worker = await runWorker({ settings, redis, logger, now: Date.now, random: Math.random });
    this.#stack.defer(async () => void (await worker.stop()));
    // What it measures for a scrape is asked of Redis, too.
    await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
  }

  raw(username: string, password = ""): Redis {
    const login = username === "default" ? {} : { username, password };
    const options = { disableClientInfo: true, enableReadyCheck: false, replyMapping: "legacy" } as const;
    return this.#stack.adopt(new Redis({ path: this.#socket, ...login, ...options }), (redis) => redis.disconnect());
  }

  /** Everything that was refused so far, each once: `user command-or-key`. */
  async refused(): Promise<string[]> {
    const log = (await this.raw("admin").call("ACL", "LOG", "100")) as string[][];
    const field = (entry: readonly string[], name: string) => entry[entry.indexOf(name) + 1];
    return log.map((entry) => `${field(entry, "username")} ${field(entry, "reason")} ${field(entry, "object")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function open(settings: Settings): Promise<RedisAccess> {
  const { machine } = readTestEnv();
  return await RedisAccess.open({ settings, stateDir: "/nowhere", machine, onError: () => {} });
}

describe.each<AclVersion>(["7", "6.2"])("the users of Redis %s", (version) => {
  let bundle: UsersBundle;
  beforeAll(async () => {
    bundle = await UsersBundle.start(version);
    await bundle.startWorker();
  });
  afterAll(async () => await bundle[Symbol.asyncDispose]());

  it("can do the work of their roles, and nothing that they try is refused", async () => {
    const producer = bundle.client("producer");
    const submit = async (id: string, index: number, ending = "000", options = {}) => {
      const input = { mobile: madeUpMobile(index, ending), csp_id: "agent1" };
      return await producer.submit("eko.mobile-otp", input, { id, ...options });
    };
    await submit("sent", 1);
    expect((await producer.waitFor("sent")).state).toBe("succeeded");
    expect((await submit("sent", 1)).duplicate).toBe(true);
    expect((await submit("again", 1, "000", { ifPending: "reuse" })).reused).toBe(true);
    const many = [2, 3, 4].map((index) => ({ mobile: madeUpMobile(index, "000"), csp_id: "agent1" }));
    await producer.submitMany("eko.mobile-otp", many, { id: "many" });
    expect((await producer.waitFor("many-3")).state).toBe("succeeded");
    expect(await producer.getMany(["many-1", "many-2"])).toHaveLength(2);

    await submit("lost", 5, "902");
    expect((await producer.waitFor("lost")).state).toBe("unknown");
    expect((await producer.settle("lost", "rejected", { reason: "a test" })).state).toBe("rejected");
    await submit("lost-too", 6, "902");
    expect((await producer.waitFor("lost-too")).state).toBe("unknown");
    await producer.settle("lost-too", "resend", { reason: "a test" });

    const operator = bundle.client("operator");
    await operator.gates.setQuota("eko", "0");
    await submit("held", 7);
    expect(await producer.explain("held")).not.toBeNull();
    await operator.gates.resetQuota("eko");
    await operator.gates.resume("eko").catch(() => {});
    expect((await operator.gates.read("eko")).quota).not.toEqual([]);
    expect((await producer.waitFor("held")).state).toBe("succeeded");
    expect(await operator.failed.retry()).toBe(0);
    expect(await operator.failed.drop()).toBe(0);

    // In a worker's container, with a worker's user.
    const beside = bundle.client("worker");
    const { id } = await beside.submit("eko.mobile-otp", { mobile: madeUpMobile(8, "000"), csp_id: "agent1" });
    expect((await beside.waitFor(id)).state).toBe("succeeded");
    expect(await bundle.refused()).toEqual([]);
  });

  const NEVER = [
    ...["KEYS *", "FLUSHALL", "FLUSHDB", "CONFIG SET dir /tmp", "CONFIG RESETSTAT", "DEBUG OBJECT bull:{eko-0}:meta"],
    ...["MONITOR", "SHUTDOWN NOSAVE", "SAVE", "ACL LIST", "ACL SETUSER x on nopass +@all", "CLIENT KILL TYPE normal"],
    ...["REPLICAOF 127.0.0.1 1", "SYNC", "MODULE LIST", "SCRIPT FLUSH", "SCRIPT KILL", "FUNCTION FLUSH", "SLOWLOG GET"],
    ...[
      "MIGRATE 127.0.0.1 1 satyapan:{eko-0}:job:1 0 1",
      "SWAPDB 0 1",
      "OBJECT FREQ x",
      "GET other:key",
      "SET other:key 1",
    ],
    ...[
      "PUBLISH other 1",
      "SUBSCRIBE other",
      "PSUBSCRIBE *",
      "RESTORE satyapan:{eko-0}:job:1 0 x",
      "SORT bull:{eko-0}:wait",
    ],
    ...["EVAL redis.call('FLUSHALL') 0", "EVAL redis.call('GET',KEYS[1]) 1 other:key"],
  ];
  const REFUSED = {
    producer: [
      ...NEVER,
      ...[
        "SCAN 0",
        "RANDOMKEY",
        "CONFIG GET dir",
        "BGREWRITEAOF",
        "HVALS satyapan:{data-keys}",
        "DUMP satyapan:{eko-0}:job:1",
      ],
      ...[
        "XRANGE satyapan:{eko-0}:audit - +",
        "XDEL satyapan:{eko-0}:audit 1-1",
        "XTRIM satyapan:{eko-0}:audit MAXLEN 0",
      ],
      ...["XADD satyapan:{audit}:log * a b", "HSET satyapan:{audit}:head a b", "DEL satyapan:{audit}:log"],
      ...(version === "7" ? ["HDEL satyapan:{data-keys} x", "DEL satyapan:{data-keys}:current"] : []),
    ],
    worker: [
      ...NEVER,
      ...["CONFIG GET dir", "BGREWRITEAOF", "CLIENT LIST"],
      ...(version === "7" ? ["HDEL satyapan:{data-keys} x", "DEL satyapan:{data-keys}:current"] : []),
    ],
    operator: NEVER,
  } satisfies Record<Role, string[]>;

  it.each(ROLES)("cannot do as %s what the role has no need of", async (role) => {
    const redis = bundle.raw(`satyapan-${role}`, `of-${role}`);
    for (const command of REFUSED[role]) {
      const [name = "", ...args] = command.startsWith("EVAL ")
        ? (/^(EVAL) (.+) (\d.*)$/
            .exec(command)
            ?.slice(1)
            .flatMap((part, at) => (at === 2 ? part.split(" ") : [part])) ?? [])
        : command.split(" ");
      await expect(redis.call(name, ...args), command).rejects.toThrow(
        /NOPERM|can't run this command|can't access|not allowed/,
      );
    }
  });

  it("make and read data keys, and leave it to operators to destroy them", async () => {
    const store = (role: Role): DataKeyStore => new DataKeyStore(bundle.raw(`satyapan-${role}`, `of-${role}`));
    const offer = {
      id: "0123456789ab",
      wrapped: "w",
      by: "k1",
      scope: "day:2026-01-15",
      created: 1,
      since: 1,
    } as const;
    expect(await store("producer").take(offer.scope, offer)).toMatchObject({ kind: "taken", sealer: 1 });
    expect(await store("worker").take(offer.scope, null)).toMatchObject({ kind: "taken", sealer: 2 });
    for (const role of ["producer", "worker"] as const) {
      expect(await store(role).load([offer.id])).toEqual([offer]);
      if (version === "7") await expect(store(role).destroy([offer.id])).rejects.toThrow(/can't (run|access)/);
    }
    expect((await store("operator").list()).dataKeys).toContainEqual(offer);
    expect(await store("operator").destroy([offer.id])).toBe(1);
  });

  it.each<[role: Role, command: string]>([
    ["producer", "HGET satyapan:{data-keys} x"],
    ["producer", "HINCRBY satyapan:{data-keys}:sealers x 1"],
    ["producer", "XADD satyapan:{eko-0}:audit * text x"],
    ["worker", "HGET satyapan:{data-keys} x"],
    ["worker", "XADD satyapan:{audit}:log * text x"],
    ["worker", "XDEL satyapan:{eko-0}:audit 1-1"],
    ["worker", "SCAN 0"],
    ["operator", "HDEL satyapan:{data-keys} x"],
    ["operator", "XRANGE satyapan:{audit}:log - +"],
    ["operator", "CONFIG GET dir"],
    ["operator", "BGREWRITEAOF"],
    ["operator", "DBSIZE"],
    ["operator", "HVALS satyapan:{data-keys}:current"],
    ["operator", "SCAN 0 COUNT 10"],
    ["operator", "DUMP satyapan:{eko-0}:control"],
  ])("lets a %s %s", async (role, command) => {
    const [name = "", ...args] = command.split(" ");
    await bundle.raw(`satyapan-${role}`, `of-${role}`).call(name, ...args);
  });

  it.each<[role: Role | "default", finding: string]>([
    [
      "producer",
      "warning: satyapan-producer may submit jobs, but a provider has settings and no worker could take jobs",
    ],
    ["worker", "ok: satyapan-worker may submit jobs, take them; not operate"],
    ["operator", "ok: satyapan-operator may submit jobs, take them, operate"],
    ["default", "failed: the user in REDIS_URL may not even submit jobs: name another"],
  ])("are told apart by satyapan doctor: %s", async (role, finding) => {
    await using dir = await makeTempDir();
    const { stdout } = await satyapan(["doctor", "--json"], { cwd: dir.path, env: bundle.env(role) });
    const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
    const user = findings.find(({ check }) => check === "redis user");
    expect(`${user?.status}: ${user?.detail}`).toContain(finding);
  });

  it("answer whoever does not log in with nothing but that Redis lives", async () => {
    const anyone = bundle.raw("default");
    expect(await anyone.ping()).toBe("PONG");
    for (const command of ["INFO", "GET x", "SCAN 0", "EVAL return 0"]) {
      const [name = "", ...args] = command.split(" ");
      await expect(anyone.call(name, ...args), command).rejects.toThrow("NOPERM");
    }
  });
});

describe("the files of the Redis users", () => {
  it.each([
    ["deploy/redis/users.acl", "7"],
    ["deploy/redis/users-6.2.acl", "6.2"],
  ] as const)("%s is what `node deploy/redis/users.ts` prints, and holds no password", (path, version) => {
    const text = readText(path);
    expect(text).toBe(usersAcl(version));
    expect(text).not.toMatch(/[>#]/);
    expect(text.match(/nopass/g)).toHaveLength(1); // the default user's, who may only PING
  });

  it("allow the commands that BullMQ's scripts call, also after an upgrade", () => {
    const adding = ["addStandardJob", "addPrioritizedJob", "addDelayedJob"];
    const taking = [
      ...["moveToActive", "moveToFinished", "moveToDelayed", "moveStalledJobsToWait", "retryJob", "extendLock"],
      ...["extendLocks", "getCounts", "getRanges", "getRateLimitTtl", "moveJobFromActiveToWait"],
    ];
    for (const version of ["7", "6.2"] as const) {
      expect(missing(adding, commandsOf("producer", version))).toEqual([]);
      expect(missing([...adding, ...taking], commandsOf("worker", version))).toEqual([]);
      expect(missing(["removeJob"], new Set(["del"]))).toContain("zrem"); // the control: it does read them
    }
  });
});

/** What these scripts of BullMQ call that is not allowed. */
function missing(scripts: readonly string[], allowed: ReadonlySet<string>): string[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve("bullmq")), "scripts");
  const called = scripts.flatMap((script) => {
    const file = readdirSync(folder).find((name) => name.startsWith(`${script}-`) && name.endsWith(".js"));
    if (file === undefined) throw new Error(`BullMQ has no script ${script} any more`);
    return [...readFileSync(join(folder, file), "utf8").matchAll(/(?:rcall|redis\.call)\(['"](\w+)['"]/g)];
  });
  return [...new Set(called.map(([, name = ""]) => name.toLowerCase()))].filter((name) => !allowed.has(name));
}
