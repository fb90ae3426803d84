import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestRedis } from "./redis.ts";

export interface FrayedProxy extends AsyncDisposable {
  readonly url: string;
  /** How many connections were cut. */
  readonly cuts: number;
  /** Connections are cut from now on, or no more. */
  fray(isFraying: boolean): void;
}

/** Of what is sent so much is cut off; the least and the most time between two cuts, in ms. */
const SHARE = 0.25;
const [LEAST_MS, MOST_MS] = [40, 240];
/** With what a connection begins: to cut that over and over would let none be made. */
const BEGINNING = /hello|info|client/i;

/**
 * A way to this Redis that is cut again and again, now on one connection, now on another: mostly Redis has carried out what was sent
 * last, and its answer does not come back.
 */
export async function frayedProxy(redis: TestRedis, random: () => number): Promise<FrayedProxy> {
  let [isFraying, cuts, nextAt] = [false, 0, 0];
  const sockets = new Set<Socket>();
  const isCut = (chunk: Buffer): boolean => {
    if (!isFraying || performance.now() < nextAt || random() > SHARE) return false;
    if (BEGINNING.test(chunk.toString("latin1", 0, 60))) return false;
    nextAt = performance.now() + LEAST_MS + random() * (MOST_MS - LEAST_MS);
    cuts += 1;
    return true;
  };
  const server = createServer((client) => {
    const upstream = connect({ path: new URL(redis.url).pathname });
    let isOver = false;
    client.on("data", (chunk) => {
      if (isOver) return;
      upstream.write(chunk);
      isOver = isCut(chunk);
      // Whatever comes before the answer to this was carried out.
      if (isOver && random() < 0.7) upstream.write("PING\r\n");
      else if (isOver) client.destroy();
    });
    upstream.on("data", (chunk) => {
      if (!isOver) client.write(chunk);
      else if (chunk.includes("+PONG")) client.destroy();
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
  return {
    url: `redis://127.0.0.1:${port}`,
    get cuts() {
      return cuts;
    },
    fray: (fraying) => (isFraying = fraying),
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
