import type { TestRedis } from "./redis.ts";
import { type SocketProxy, socketProxy } from "./socket-proxy.ts";

export interface CuttingProxy extends SocketProxy {
  /** Resolves when it was cut. */
  readonly cut: Promise<void>;
  /** From now on, once. */
  arm(): void;
}

/** Of the commands of one connection: the first whose answer is withheld, and the one with which the connection is cut. */
export interface Cut {
  readonly from: RegExp;
  readonly to: RegExp;
}

/** A way to this Redis that is cut once: Redis has carried out everything up to there, and none of its answers comes back. */
export async function cuttingProxy(redis: TestRedis, { from, to }: Cut): Promise<CuttingProxy> {
  let isArmed = false;
  const { promise: cut, resolve } = Promise.withResolvers<void>();
  const proxy = await socketProxy(redis, (client, upstream) => {
    let [isWithheld, isOver] = [false, false];
    client.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      if (isArmed && from.test(text)) [isArmed, isWithheld] = [false, true];
      if (!isOver) upstream.write(chunk);
      if (isOver || !isWithheld || !to.test(text)) return;
      isOver = true;
      upstream.write("PING\r\n");
    });
    upstream.on("data", (chunk) => {
      if (!isWithheld) client.write(chunk);
      else if (isOver && chunk.includes("+PONG")) {
        client.destroy();
        resolve();
      }
    });
  });
  return Object.assign(proxy, { cut, arm: () => (isArmed = true) });
}
