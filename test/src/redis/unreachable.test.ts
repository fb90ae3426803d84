import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { closeRedis, connectRedis, ready } from "../../../src/redis/connection.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { freePort } from "../../support/free-port.ts";
import { LocalServer } from "../../support/local-server.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const NOT_REDIS =
  "what answers there is not Redis. Set REDIS_URL to the port of a Redis (6379, of a sentinel 26379, unless they were given others).";
const NO_TLS = "its port speaks no TLS. Begin REDIS_URL with redis://, or name the port that speaks TLS.";
const HTTP = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
/** A TLS alert: fatal, unexpected message. */
const ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 10]);

it.each<[what: string, scheme: string, says: string | Buffer, asked: boolean, reason: string]>([
  ["a web server", "redis://", HTTP, true, NOT_REDIS],
  ["an SSH server", "redis://", "SSH-2.0-OpenSSH_9.6\r\n", false, NOT_REDIS],
  [
    "a web server, taken for a Cluster",
    "redis+cluster://",
    HTTP,
    true,
    `none of its nodes takes a connection: ${NOT_REDIS}`,
  ],
  [
    "a web server, taken for a sentinel",
    "redis+sentinel://",
    HTTP,
    true,
    `none of its sentinels answers: ${NOT_REDIS}`,
  ],
  ["a port that speaks TLS", "redis://", ALERT, true, "its port speaks TLS. Begin REDIS_URL with rediss://."],
  ["a web server without TLS", "rediss://", HTTP, true, NO_TLS],
  [
    "a web server without TLS, taken for a Cluster",
    "rediss+cluster://",
    HTTP,
    true,
    `none of its nodes takes a connection: ${NO_TLS}`,
  ],
])("%s is told from a Redis that is away", async (_, scheme, says, asked, reason) => {
  await using stranger = await listen((socket) => {
    if (asked) socket.once("data", () => socket.write(says));
    else socket.write(says);
  });
  expect(await failureOf(`${scheme}127.0.0.1:${stranger.port}${scheme.includes("sentinel") ? "/main" : ""}`)).toContain(
    `cannot be reached: ${reason}`,
  );
});

it.each([
  ["taken for a sentinel", "redis+sentinel:", "/main", "Name a sentinel in REDIS_URL (26379 by default)"],
  ["taken for a Cluster", "redis+cluster:", "", "Begin REDIS_URL with redis:// or rediss://."],
  ["without that database", "redis:", "/99", "Name in REDIS_URL a database that it has."],
])("a Redis %s is told how to be named", async (_, scheme, path, remedy) => {
  await using dir = await makeTempDir();
  const port = await freePort();
  await using server = await LocalServer.create(dir.path, ["--port", String(port), "--bind", "127.0.0.1"]);
  await server.start();
  expect(await failureOf(`${scheme}//127.0.0.1:${port}${path}`)).toContain(remedy);
});

async function failureOf(url: string): Promise<string> {
  const redis = connectRedis(parseRedisUrl(url), "client", () => {});
  try {
    const error: unknown = await ready(redis).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: ErrorCode.REDIS_UNREACHABLE });
    return String(error);
  } finally {
    await closeRedis(redis);
  }
}

async function listen(greet: (socket: Socket) => void): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    greet(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
