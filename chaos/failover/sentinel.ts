import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type NodeSpace, RedisNode } from "./node.ts";
import { freePorts, masterOf, NODE_ARGS, roleOf, type Topology } from "./topology.ts";

const REPLICAS = 2;
const SENTINELS = 3;
/** The silence after which a master is taken for dead, in ms. */
const DOWN_AFTER_MS = 3_000;
const FAILOVER_TIMEOUT_MS = 10_000;

/** A master, two replicas and three sentinels. */
export class ChaosSentinel implements Topology {
  readonly kind = "sentinel";
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  #stop: () => Promise<void> = async () => {};

  private constructor(nodes: readonly RedisNode[], sentinels: readonly RedisNode[]) {
    this.nodes = nodes;
    this.url = `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",")}/main`;
  }

  static async start(space: NodeSpace, random: () => number, args: readonly string[]): Promise<ChaosSentinel> {
    await using started = new AsyncDisposableStack();
    const ports = await freePorts(1 + REPLICAS + SENTINELS, random);
    const [master = 0, ...others] = ports;
    const nodes = [master, ...others.slice(0, REPLICAS)].map((port) => {
      const follow = port === master ? [] : ["--replicaof", "127.0.0.1", String(master)];
      return started.use(new RedisNode(space, port, [...NODE_ARGS, ...args, ...follow]));
    });
    for (const node of nodes) await node.start();
    for (const replica of nodes.slice(1)) while (!(await roleOf(replica)).isLinked) await sleep(20);
    const sentinels = await Promise.all(
      others.slice(REPLICAS).map(async (port) => {
        const configuration = join(space.folder, `sentinel-${port}.conf`);
        await writeFile(configuration, `${sentinelLines(master).join("\n")}\n`);
        return started.use(new RedisNode(space, port, [configuration, "--sentinel"]));
      }),
    );
    await Promise.all(sentinels.map(async (sentinel) => sentinel.start()));
    for (const { admin } of sentinels) while (!(await knowsAll(admin))) await sleep(50);
    const opened = started.move();
    const topology = new ChaosSentinel(nodes, sentinels);
    topology.#stop = async () => opened.disposeAsync();
    return topology;
  }

  async holder(): Promise<RedisNode> {
    return await masterOf(this.nodes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

function sentinelLines(master: number): string[] {
  return [
    `sentinel monitor main 127.0.0.1 ${master} ${Math.floor(SENTINELS / 2) + 1}`,
    `sentinel down-after-milliseconds main ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout main ${FAILOVER_TIMEOUT_MS}`,
    `sentinel parallel-syncs main ${REPLICAS}`,
  ];
}

async function knowsAll(admin: RedisNode["admin"]): Promise<boolean> {
  const told = (await admin.call("SENTINEL", "MASTER", "main")) as readonly string[];
  const field = (name: string): number => Number(told[told.indexOf(name) + 1]);
  return field("num-slaves") === REPLICAS && field("num-other-sentinels") === SENTINELS - 1;
}
