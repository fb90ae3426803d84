import { expect, it } from "vitest";
import { shortValue } from "../../../src/redis/short-value.ts";
import { startTestRedis } from "../../support/redis.ts";

const KEY = "satyapan:{eko-0}:probe";

it("is what Redis keeps in one piece, tried out, of which nothing is left", async () => {
  await using server = await startTestRedis();
  const client = server.client();
  await client.call("CONFIG", "SET", "hash-max-ziplist-value", "64");
  expect(await shortValue(client, KEY)).toBe(64);
  await client.call("CONFIG", "SET", "hash-max-ziplist-value", "1024");
  expect(await shortValue(client, KEY)).toBe(1024);
  expect(await client.exists(KEY)).toBe(0);
});

it("is Redis' default where it may not be tried out", async () => {
  await using server = await startTestRedis();
  const admin = server.client();
  await admin.call("CONFIG", "SET", "hash-max-ziplist-value", "1024");
  await admin.call("ACL", "SETUSER", "app", "on", ">app-password", "~*", "+@all", "-object");
  expect(await shortValue(server.client({ username: "app", password: "app-password" }), KEY)).toBe(64);
  await admin.call("CONFIG", "SET", "maxmemory", "1");
  expect(await shortValue(admin, KEY)).toBe(64);
});
