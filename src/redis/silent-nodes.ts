import type { Cluster, Redis } from "ioredis";
import { expectDroppedReplies } from "./dropped-replies.ts";

/** Between two looks at the nodes that owe an answer, in ms. */
const LOOK_MS = 250;

/**
 * ioredis asks a Cluster who its masters are where a command fails. On a node that is frozen none does for as long as a socket
 * may be silent: so it is asked as soon as a node owes an answer. What BullMQ copies of it for itself blocks on purpose:
 * such a copy leaves a node when this connection does.
 */
export function leaveSilentNodes(cluster: Cluster): void {
  cluster.on("+node", expectDroppedReplies);
  let owed = new Map<Redis, unknown>();
  const looking = setInterval(() => {
    const next = new Map(cluster.nodes().map((node) => [node, node.commandQueue.peekFront() as unknown]));
    if ([...next].some(([node, command]) => command !== undefined && command === owed.get(node))) {
      cluster.refreshSlotsCache();
    }
    owed = next;
  }, LOOK_MS).unref();
  cluster.once("end", () => clearInterval(looking));

  const duplicate = cluster.duplicate.bind(cluster);
  cluster.duplicate = (...args: Parameters<typeof duplicate>) => {
    const copy = duplicate(...args);
    copy.on("+node", expectDroppedReplies);
    const leave = ({ options: { host, port } }: Redis): void => {
      for (const node of copy.nodes()) if (node.options.host === host && node.options.port === port) node.disconnect();
    };
    cluster.on("-node", leave);
    copy.once("end", () => cluster.off("-node", leave));
    return copy;
  };
}
