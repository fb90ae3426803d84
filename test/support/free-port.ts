import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port of 127.0.0.1 that nobody listens on, below those that systems give to outgoing connections (32768 and up), so that
 * none of these takes it while a server restarts; its number + 10000 is free for a Cluster's bus, too.
 */
export async function freePort(random: () => number = Math.random): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(random() * 10_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
