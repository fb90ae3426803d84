import { EventEmitter, once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { closeRedis, connectRedis, ready } from "../../../src/redis/connection.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { bulk, list, startFakeRedis, subscription } from "../../support/fake-redis.ts";
import { freePort } from "../../support/free-port.ts";
import { heard } from "../../support/heard.ts";
import { LocalServer } from "../../support/local-server.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const CHANNEL = "+switch-master";

it("keeps its master when a sentinel tells of it late or of another group's, and leaves it for a new one", async () => {
  await using dir = await makeTempDir();
  const port = await freePort();
  await using master = await LocalServer.create(dir.path, ["--port", String(port), "--bind", "127.0.0.1"]);
  await master.start();
  await using sentinel = await startSentinel(port);
  const redis = connectRedis(parseRedisUrl(sentinel.url), "worker", () => {});
  await using _ = { [Symbol.asyncDispose]: async () => await closeRedis(redis) };
  await ready(redis);
  let closed = 0;
  redis.on("close", () => closed++);

  await sentinel.tell(`main 127.0.0.1 1 127.0.0.1 ${port}`);
  await sentinel.tell(`other 127.0.0.1 1 127.0.0.1 2`);
  expect(await redis.ping()).toBe("PONG");
  expect(closed).toBe(0);

  const left = heard(redis, "close");
  await sentinel.tell(`main 127.0.0.1 ${port} 127.0.0.1 1`);
  await left;
});

it.each([
  ["goes to the master that it is told of while it asks for it", "main", "after"],
  ["goes to no other group's master that it is told of meanwhile", "other", "before"],
])("%s", async (_title, group, expected) => {
  const events = new EventEmitter();
  await using before = await startFakeRedis(() => "+before\r\n");
  await using after = await startFakeRedis(() => "+after\r\n");
  let asked = 0;
  const subscribed: Socket[] = [];
  const old = list(bulk("127.0.0.1"), bulk(String(before.port)));
  await using sentinel = await startFakeRedis(([command, what], socket) => {
    if (command === "subscribe") {
      subscribed.push(socket);
      setImmediate(() => events.emit("subscribed"));
      return subscription("subscribe", CHANNEL, ":1\r\n");
    }
    if (what === "sentinels") return list();
    if (++asked === 1) return old;
    if (asked === 2) setImmediate(() => events.emit("asked", socket));
    return null;
  });
  const redis = connectRedis(parseRedisUrl(`redis+sentinel://127.0.0.1:${sentinel.port}/main`), "worker", () => {});
  await using _ = { [Symbol.asyncDispose]: async () => await closeRedis(redis) };
  const again = once(events, "asked");
  await ready(redis);
  if (subscribed.length === 0) await once(events, "subscribed");
  before.cut();
  const [asking] = (await again) as [Socket];
  const told = subscribed[0];
  const heardOut = told === undefined ? null : once(told, "close");
  const text = bulk(`${group} 127.0.0.1 ${before.port} 127.0.0.1 ${after.port}`);
  told?.end(subscription("message", CHANNEL, text));
  await heardOut;
  asking.write(old);
  expect(await redis.get("who")).toBe(expected);
});

it("does not wait for a frozen master to close its end before it turns to another", async () => {
  const frozen = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(frozen, "listening");
  const { port } = frozen.address() as { readonly port: number };
  const connected = once(frozen, "connection");
  const redis = connectRedis(parseRedisUrl(`redis://127.0.0.1:${port}`), "worker", () => {});
  const [socket] = (await connected) as [Socket];
  await heard(redis, "connect");
  redis.disconnect();
  // Both are timers of this process, however busy it is.
  expect(await Promise.race([heard(redis, "close").then(() => "left"), sleep(1_000, "waits")])).toBe("left");
  socket.destroy();
  frozen.close();
});

interface Sentinel extends AsyncDisposable {
  readonly url: string;
  /** `+switch-master` to one who subscribed; resolves when it was heard. */
  readonly tell: (text: string) => Promise<void>;
}

/** Says what a sentinel says to ioredis, and no more. */
async function startSentinel(master: number): Promise<Sentinel> {
  const subscribed: Socket[] = [];
  const more = new EventEmitter();
  const server = await startFakeRedis(([command, what], socket) => {
    if (command === "subscribe") {
      subscribed.push(socket);
      setImmediate(() => more.emit("subscribed"));
      return subscription("subscribe", CHANNEL, ":1\r\n");
    }
    return what === "sentinels" ? list() : list(bulk("127.0.0.1"), bulk(String(master)));
  });
  return {
    url: `redis+sentinel://127.0.0.1:${server.port}/main`,
    tell: async (text) => {
      while (subscribed.length === 0) await once(more, "subscribed");
      const socket = subscribed.shift();
      if (socket === undefined) return;
      // Its end is behind it, and is answered.
      const heardOut = once(socket, "close");
      socket.end(subscription("message", CHANNEL, bulk(text)));
      await heardOut;
    },
    [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose](),
  };
}
