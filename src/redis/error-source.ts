import type { Cluster, Redis } from "ioredis";

/** On an error of one connection: that connection. */
const SOURCE = Symbol("satyapan.source");

/**
 * Errors of this connection's commands remember it, so that it is known which Redis failed where work asks two of them
 * (`redisFailure`). Not for pipelines.
 */
export function markErrors(client: Redis | Cluster): void {
  const send: unknown = Reflect.get(client, "sendCommand");
  if (typeof send !== "function") throw new TypeError("this ioredis has no sendCommand");
  Reflect.set(client, "sendCommand", (...args: unknown[]): unknown => {
    const reply: unknown = Reflect.apply(send, client, args);
    if (reply instanceof Promise) reply.catch((error: unknown) => mark(error, client));
    return reply;
  });
}

/** The connection whose command failed so; null where it is not known. */
export function sourceOf(error: unknown): Redis | Cluster | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (SOURCE in at) return at[SOURCE] as Redis | Cluster;
  }
  return null;
}

function mark(error: unknown, client: Redis | Cluster): void {
  if (error instanceof Error && Object.isExtensible(error)) Object.defineProperty(error, SOURCE, { value: client });
}
