import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestRedis } from "./redis.ts";

export interface SocketProxy extends AsyncDisposable {
  readonly url: string;
}

/** A way to this Redis by TCP; `join`: what goes from one end of a connection to the other. One end takes the other with it. */
export async function socketProxy(
  redis: TestRedis,
  join: (client: Socket, upstream: Socket) => void,
): Promise<SocketProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ path: new URL(redis.url).pathname });
    join(client, upstream);
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
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
