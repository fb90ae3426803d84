import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { TestRedis } from "./redis.ts";

export interface KillingProxy extends AsyncDisposable {
  readonly url: string;
  readonly killed: Promise<void>;
}

/** A way to this Redis that kills it once so many bytes went there: in the middle of them, however busy the machine is. */
export async function killingProxy(redis: TestRedis, bytes: number): Promise<KillingProxy> {
  let left = bytes;
  const { promise: killed, resolve } = Promise.withResolvers<void>();
  const server = createServer((client) => {
    const upstream = connect({ path: new URL(redis.url).pathname });
    client.on("data", (chunk) => {
      upstream.write(chunk);
      const before = left;
      left -= chunk.length;
      if (before > 0 && left <= 0) resolve(redis.kill9());
    });
    upstream.pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => {}).on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    await once(server, "close");
  };
  return { url: `redis://127.0.0.1:${port}`, killed, [Symbol.asyncDispose]: close };
}
