import { setTimeout as sleep } from "node:timers/promises";
import { queueOf } from "../../src/queues/names.ts";
import { type NodeSpace, RedisNode } from "./node.ts";
import { freePorts, NODE_ARGS, roleOf, type Topology } from "./topology.ts";

const SLOTS = 16_384;
const MASTERS = 3;
/** The silence after which a master is taken for dead, in ms. */
const NODE_TIMEOUT_MS = 2_000;
const ARGS = [...NODE_ARGS, "--cluster-enabled", "yes", "--cluster-node-timeout", String(NODE_TIMEOUT_MS)];

/** Three masters with a replica each. */
export class ChaosCluster implements Topology {
  readonly kind = "cluster";
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  #stop: () => Promise<void> = async () => {};

  private constructor(nodes: readonly RedisNode[]) {
    this.nodes = nodes;
    this.url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  }

  static async start(space: NodeSpace, random: () => number, args: readonly string[]): Promise<ChaosCluster> {
    await using started = new AsyncDisposableStack();
    const ports = await freePorts(2 * MASTERS, random);
    const nodes = ports.map((port) => started.use(new RedisNode(space, port, [...ARGS, ...args])));
    await Promise.all(nodes.map(async (node) => node.start()));
    for (const [index, { admin }] of nodes.slice(0, MASTERS).entries()) {
      const slots = Array.from({ length: SLOTS }, (_, slot) => slot).filter(
        (slot) => Math.floor((slot * MASTERS) / SLOTS) === index,
      );
      await admin.call("CLUSTER", "ADDSLOTS", ...slots);
    }
    for (const [index, { admin }] of nodes.entries()) await admin.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
    const [first, ...others] = nodes;
    for (const { port } of others) await first?.admin.call("CLUSTER", "MEET", "127.0.0.1", port);
    await Promise.all(nodes.map(async (node) => until(async () => (await knows(node)) === 2 * MASTERS)));
    for (const [index, replica] of nodes.slice(MASTERS).entries()) {
      const id = String(await nodes[index]?.admin.call("CLUSTER", "MYID"));
      await replica.admin.call("CLUSTER", "REPLICATE", id);
    }
    await Promise.all(nodes.slice(MASTERS).map(async (replica) => until(async () => (await roleOf(replica)).isLinked)));
    await Promise.all(nodes.map(async (node) => until(async () => isOk(node))));
    const cluster = new ChaosCluster(nodes);
    // What one node has not heard of yet: which are replicas, and whose.
    await Promise.all(nodes.map(async (node) => until(async () => (await mastersIn(node)).length === MASTERS)));
    const opened = started.move();
    cluster.#stop = async () => opened.disposeAsync();
    return cluster;
  }

  async holder(): Promise<RedisNode> {
    const [node] = this.nodes;
    if (node === undefined) throw new RangeError("a cluster without nodes");
    const slot = await slotOf(node);
    const owner = (await mastersIn(node)).find(({ ranges }) => ranges.some(([from, to]) => from <= slot && slot <= to));
    const found = this.nodes.find(({ port }) => port === owner?.port);
    if (found === undefined) throw new Error(`nobody holds slot ${slot}`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

/** Eko's queue with everything that its scripts touch. */
export async function slotOf(node: RedisNode): Promise<number> {
  return Number(await node.admin.call("CLUSTER", "KEYSLOT", queueOf("eko")));
}

interface Master {
  readonly id: string;
  readonly port: number;
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

/** Those that hold slots, as this node sees them. */
export async function mastersIn(node: RedisNode): Promise<Master[]> {
  const lines = String(await node.admin.call("CLUSTER", "NODES"))
    .trim()
    .split("\n");
  return lines.flatMap((line) => {
    const [id = "", address = "", flags = "", , , , , , ...slots] = line.split(" ");
    const isMaster = /\bmaster\b/.test(flags) && !/\bfail\b/.test(flags) && slots.length > 0;
    const ranges = slots.filter((range) => !range.startsWith("[")).map(rangeOf);
    return isMaster ? [{ id, port: Number(/:(\d+)@/.exec(address)?.[1]), ranges }] : [];
  });
}

function rangeOf(text: string): [number, number] {
  const [from = "", to = from] = text.split("-");
  return [Number(from), Number(to)];
}

async function knows(node: RedisNode): Promise<number> {
  return Number(/cluster_known_nodes:(\d+)/.exec(String(await node.admin.call("CLUSTER", "INFO")))?.[1]);
}

async function isOk(node: RedisNode): Promise<boolean> {
  return String(await node.admin.call("CLUSTER", "INFO")).includes("cluster_state:ok");
}

/** Nodes tell each other of themselves a few times a second; nothing announces the end of it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
