import type { TestRedis } from "./redis.ts";
import { type SocketProxy, socketProxy } from "./socket-proxy.ts";

export interface FrayedProxy extends SocketProxy {
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
  const isCut = (chunk: Buffer): boolean => {
    if (!isFraying || performance.now() < nextAt || random() > SHARE) return false;
    if (BEGINNING.test(chunk.toString("latin1", 0, 60))) return false;
    nextAt = performance.now() + LEAST_MS + random() * (MOST_MS - LEAST_MS);
    cuts += 1;
    return true;
  };
  const proxy = await socketProxy(redis, (client, upstream) => {
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
  });
  return {
    ...proxy,
    get cuts() {
      return cuts;
    },
    fray: (fraying) => (isFraying = fraying),
  };
}
