import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestRedis } from "./redis.ts";

export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
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
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ path: new URL(redis.url).pathname });
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
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  };
  return { url: `redis://127.0.0.1:${port}`, cut, arm: () => (isArmed = true), [Symbol.asyncDispose]: close };
}
