import type { Redis } from "ioredis";

/** What ioredis sends by itself, on a connection that is made again or for a slot that moves, and never waits for. */
const OWN = ["subscribe", "psubscribe", "select", "asking"] as const;

/**
 * Where such a connection is closed before their reply has come, nobody hears what these reject with, and Node would end the
 * process for it. Who waits for one of them hears it as before.
 */
export function expectDroppedReplies(client: Redis): void {
  for (const name of OWN) {
    const send: unknown = Reflect.get(client, name);
    if (typeof send !== "function") throw new TypeError(`this ioredis has no ${name}`);
    Reflect.set(client, name, (...args: unknown[]): unknown => {
      const reply: unknown = Reflect.apply(send, client, args);
      if (reply instanceof Promise) reply.catch(() => {});
      return reply;
    });
  }
}
