import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import { parseRedisUrl } from "../../../src/redis/url.ts";
import { sharesMessages } from "../../../src/redis/shares-messages.ts";
import { startTestCluster } from "../../support/redis-cluster.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => void (server = await startTestRedis()));
afterAll(async () => await server.stop());

describe("a connection for commands and messages", () => {
  it("does both, also after it was lost", async () => {
    const client = connectRedis(parseRedisUrl(server.url), "worker", () => {});
    await using closing = new AsyncDisposableStack();
    closing.defer(async () => await closeRedis(client));
    expect(await sharesMessages(client)).toBe(true);
    await client.subscribe("news");
    for (const news of ["first", "second"]) {
      await client.set("key", news);
      await expect.poll(async () => await server.client().pubsub("NUMSUB", "news")).toEqual(["news", 1]);
      const heard = once(client, "message");
      await server.client().publish("news", news);
      expect(await heard).toEqual(["news", news]);
      expect(await client.get("key")).toBe(news);
      const back = once(client, "ready");
      await server.client().call("CLIENT", "KILL", "TYPE", "pubsub");
      await back;
    }
  });

  it("is not to be had by RESP2, where a subscriber may do nothing else", async () => {
    const client = server.client({ protocol: 2 });
    expect(await sharesMessages(client)).toBe(false);
    await client.subscribe("news");
    await expect(client.get("key")).rejects.toThrow("subscriber mode");
  });

  it("is any of a Cluster", async () => {
    await using cluster = await startTestCluster();
    const client = connectRedis(parseRedisUrl(cluster.url), "worker", () => {});
    await using closing = new AsyncDisposableStack();
    closing.defer(async () => await closeRedis(client));
    expect(await sharesMessages(client)).toBe(true);
    await client.subscribe("news");
    await client.set("key", "value");
    const heard = once(client, "message");
    await expect.poll(async () => await client.publish("news", "said")).toBeGreaterThanOrEqual(0);
    expect(await heard).toEqual(["news", "said"]);
  });
});
