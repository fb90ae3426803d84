import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { LocalServer } from "./local-server.ts";

const NODES = 3;
const SLOTS = 16_384;
/** A node that says nothing for so long, in ms, is given up by the others, and the Cluster with it: a busy machine may hold one up. */
const NODE_TIMEOUT_MS = 30_000;

/** Three masters on ports of their own, gone when it is disposed of. */
export class TestCluster implements AsyncDisposable {
  readonly url: string;
  readonly #nodes: readonly LocalServer[];
  readonly #dir: string;

  constructor(ports: readonly number[], nodes: readonly LocalServer[], dir: string) {
    this.url = `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
    this.#nodes = nodes;
    this.#dir = dir;
  }

  /** All nodes at once. */
  async kill9(): Promise<void> {
    await Promise.all(this.#nodes.map(async (node) => node.end("kill")));
  }

  /** All nodes, with their data. */
  async restart(): Promise<void> {
    await Promise.all(this.#nodes.map(async (node) => node.start()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

export async function startTestCluster(): Promise<TestCluster> {
  const dir = await mkdtemp(join(tmpdir(), "satyapan-cluster-"));
  const ports = await freePorts(NODES);
  const nodes = await Promise.all(ports.map(async (port) => startNode(port, await mkdtemp(join(dir, "node-")))));
  const clients = ports.map((port) => new Redis(port, "127.0.0.1"));
  await Promise.all(
    clients.map(async (client, index) => {
      const slots = Array.from({ length: SLOTS }, (_, slot) => slot).filter((slot) => slot % NODES === index);
      await client.call("CLUSTER", "ADDSLOTS", ...slots);
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
    }),
  );
  for (const port of ports.slice(1)) await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", port);
  await Promise.all(clients.map(joined));
  for (const client of clients) client.disconnect();
  return new TestCluster(ports, nodes, dir);
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function startNode(port: number, dir: string): Promise<LocalServer> {
  const settings = {
    "--port": String(port),
    "--bind": "127.0.0.1",
    "--save": "",
    "--appendonly": "yes",
    "--cluster-enabled": "yes",
    "--cluster-node-timeout": String(NODE_TIMEOUT_MS),
  };
  const node = await LocalServer.create(dir, Object.entries(settings).flat());
  await node.start();
  return node;
}

/** Nodes tell each other of themselves a few times a second; nothing announces the end of it. */
async function joined(client: Redis): Promise<void> {
  for (;;) {
    const info = String(await client.call("CLUSTER", "INFO"));
    if (info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${NODES}`)) return;
    await sleep(20);
  }
}
