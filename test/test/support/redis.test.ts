import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startTestRedis } from "../../support/redis.ts";

describe("a test's Redis", () => {
  it("is its own, keeps its data over a kill and a restart, and is gone with the test", async () => {
    const first = await startTestRedis();
    await using second = await startTestRedis();
    expect(first.url).not.toBe(second.url);
    expect(`${first.url} ${second.url}`).not.toContain(":6379");
    const client = first.client();
    await client.set("planted", "Üñusual value");
    expect(await second.client().get("planted")).toBeNull();
    expect(await first.aofText()).toContain("Üñusual value");
    await first.kill9();
    await first.restart();
    expect(await client.get("planted")).toBe("Üñusual value");
    await first.restart();
    expect(await client.get("planted")).toBe("Üñusual value");
    await first.stop();
    expect(existsSync(first.dir)).toBe(false);
  });

  it("shows in the AOF also what was overwritten and what is long", async () => {
    await using redis = await startTestRedis();
    const client = redis.client();
    await client.set("key", "first value");
    await client.set("key", "x".repeat(1_000));
    await redis.restart();
    const text = await redis.aofText();
    expect(text).toContain("first value");
    expect(text).toContain("x".repeat(1_000));
  });
});
