import type { Cluster, Redis } from "ioredis";

/**
 * ioredis asks a node who the masters are on a connection of its own, and drops that one's errors: what it tells where no node
 * answers is that a connection is closed. Here the last of them becomes the cause of what it tells.
 */
export function tellNodeTrouble(cluster: Cluster): void {
  let last: Error | null = null;
  cluster.on("+node", (node: Redis) => {
    const duplicate = node.duplicate.bind(node);
    node.duplicate = (...args: Parameters<typeof duplicate>) =>
      duplicate(...args).on("error", (error: Error) => (last = error));
  });
  cluster.on("error", (error: Error) => {
    if (last !== null) error.cause ??= last;
    last = null;
  });
}
