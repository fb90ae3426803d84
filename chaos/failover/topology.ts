import { freePort } from "../../test/support/free-port.ts";
import type { RedisNode } from "./node.ts";

export const REDIS_KINDS = ["standalone", "sentinel", "cluster"] as const;
export type RedisKind = (typeof REDIS_KINDS)[number];

/** Redis processes that belong together. */
export interface Topology extends AsyncDisposable {
  readonly kind: RedisKind;
  /** For workers and clients. */
  readonly url: string;
  /** All that hold data. */
  readonly nodes: readonly RedisNode[];
  /** The master that holds Eko's queue now; all nodes have to be up. */
  holder(): Promise<RedisNode>;
}

/** What every node with data is started with; `everysec` as in production. */
export const NODE_ARGS = Object.entries({
  "--save": "",
  "--appendonly": "yes",
  "--appendfsync": "everysec",
  "--maxmemory-policy": "noeviction",
  "--repl-diskless-sync-delay": "0",
}).flat();

export async function freePorts(count: number, random: () => number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort(random));
  return [...ports];
}

/** ROLE's first word: `master` or `slave`, and what it says of its link. */
export async function roleOf(node: RedisNode): Promise<{ readonly isMaster: boolean; readonly isLinked: boolean }> {
  const [role, , , link] = (await node.admin.call("ROLE")) as readonly unknown[];
  return { isMaster: role === "master", isLinked: link === "connected" };
}

export async function masterOf(nodes: readonly RedisNode[]): Promise<RedisNode> {
  for (const node of nodes) if ((await roleOf(node)).isMaster) return node;
  throw new Error("none of these nodes is a master");
}
