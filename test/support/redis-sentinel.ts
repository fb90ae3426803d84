import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { LocalServer } from "./local-server.ts";
import { TEST_REDIS_ARGS } from "./test-server.ts";

/**
 * The silence after which a master is taken for dead, in ms: while it lives one that is held up by a busy machine is not, and once it
 * was killed it is soon.
 */
const DOWN_AFTER_MS = { alive: 60_000, killed: 500 };
/** A failover that came to nothing is tried again after twice this, in ms. */
const FAILOVER_TIMEOUT_MS = 5_000;

/**
 * A master with a password, one sentinel that knows it, and a replica where one is asked for, on ports of their own; gone when
 * it is disposed of.
 */
export class TestSentinel implements AsyncDisposable {
  readonly url: string;
  readonly sentinel: LocalServer;
  readonly #master: LocalServer;
  readonly #replica: Replica | null;
  readonly #dir: string;

  constructor(
    url: string,
    {
      sentinel,
      master,
      replica,
      dir,
    }: { sentinel: LocalServer; master: LocalServer; replica: Replica | null; dir: string },
  ) {
    this.url = url;
    this.sentinel = sentinel;
    this.#master = master;
    this.#replica = replica;
    this.#dir = dir;
  }

  /** A connection to the replica, in the database of the URL. Throws where there is none. */
  get replica(): Redis {
    if (this.#replica === null) throw new Error("a sentinel without a replica");
    return this.#replica.client;
  }

  /** The master is killed: the replica will be it. */
  async loseMaster(): Promise<void> {
    await this.#master.end("kill");
    const sentinel = new Redis(new URL(this.sentinel.url).pathname);
    await sentinel.call("SENTINEL", "SET", "main", "down-after-milliseconds", DOWN_AFTER_MS.killed);
    sentinel.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#replica?.client.disconnect();
    await Promise.all([this.sentinel.remove(), this.#master.remove(), this.#replica?.server.remove()]);
    await rm(this.#dir, { recursive: true, force: true });
  }
}

interface Replica {
  readonly server: LocalServer;
  readonly client: Redis;
}

export async function startTestSentinel({ withReplica = false } = {}): Promise<TestSentinel> {
  const dir = await mkdtemp(join(tmpdir(), "satyapan-sentinel-"));
  const masterPort = await freePort();
  const sentinelPort = await freePort();
  const bound = ["--bind", "127.0.0.1", "--port"];
  const login = ["--requirepass", "master-password"];
  const master = await LocalServer.create(await mkdtemp(join(dir, "m-")), [
    ...bound,
    String(masterPort),
    ...login,
    ...TEST_REDIS_ARGS,
  ]);
  await master.start();
  const replica = withReplica ? await startReplica(dir, masterPort) : null;
  const configuration = join(dir, "sentinel.conf");
  const lines = [
    `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
    "sentinel auth-pass main master-password",
    `sentinel down-after-milliseconds main ${DOWN_AFTER_MS.alive}`,
    `sentinel failover-timeout main ${FAILOVER_TIMEOUT_MS}`,
  ];
  await writeFile(configuration, `${lines.join("\n")}\n`);
  const sentinel = await LocalServer.create(await mkdtemp(join(dir, "s-")), [
    configuration,
    "--sentinel",
    ...bound,
    String(sentinelPort),
  ]);
  await sentinel.start();
  const url = `redis+sentinel://:master-password@127.0.0.1:${sentinelPort}/main/2`;
  return new TestSentinel(url, { sentinel, master, replica, dir });
}

/** Resolves when it has the master's data. */
async function startReplica(dir: string, masterPort: number): Promise<Replica> {
  const folder = await mkdtemp(join(dir, "r-"));
  const login = ["--requirepass", "master-password", "--masterauth", "master-password"];
  const follows = ["--replicaof", "127.0.0.1", String(masterPort)];
  const port = String(await freePort());
  const server = await LocalServer.create(folder, [
    ...["--bind", "127.0.0.1", "--port", port],
    ...login,
    ...follows,
    ...TEST_REDIS_ARGS,
  ]);
  await server.start();
  const client = new Redis(join(folder, "redis.sock"), { password: "master-password", db: 2 });
  // It is ended before its connection.
  client.on("error", () => {});
  while (!(await client.info("replication")).includes("master_link_status:up")) await sleep(20);
  return { server, client };
}
