import { EventEmitter, once } from "node:events";
import { expect, it } from "vitest";
import { closeRedis, connectRedis, ready } from "../../../src/redis/connection.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { startFakeRedis, subscription } from "../../support/fake-redis.ts";

// What nobody hears fails the whole run of tests, as it would end a process.
it("is closed in peace while it subscribes again, and who subscribed then heard of it", async () => {
  const asked = new EventEmitter();
  let times = 0;
  await using server = await startFakeRedis(([command], socket) => {
    if (command !== "subscribe") return "+OK\r\n";
    setImmediate(() => asked.emit("asked"));
    if (++times > 1) return null;
    setImmediate(() => socket.destroy());
    return subscription("subscribe", "channel", ":1\r\n");
  });
  const redis = connectRedis(parseRedisUrl(`redis://127.0.0.1:${server.port}`), "worker", () => {});
  await ready(redis);
  expect(await redis.subscribe("channel")).toBe(1);
  await once(asked, "asked");
  if (times < 2) await once(asked, "asked");
  const waited = redis.subscribe("other");
  redis.disconnect();
  await expect(waited).rejects.toThrow("Connection is closed.");
  await closeRedis(redis);
});
