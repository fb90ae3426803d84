import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { ErrorCode, SatyapanError } from "../../../src/base/error.ts";
import { isPassingRefusal, refusalWord } from "../../../src/redis/refusal.ts";
import { RECORD } from "../../../src/records/scripts/record.ts";
import { luaSource } from "../../support/lua.ts";
import { startTestRedis } from "../../support/redis.ts";

const WRITE = "return redis.call('SET', KEYS[1], 'x')";
/** As our batch scripts do it: the fault of one job is its own answer. */
const CAUGHT = luaSource([RECORD], "return attempted(function() return redis.call('SET', KEYS[1], 'x') end)");

describe("a refusal of a real Redis", () => {
  it.each([
    ["OOM", ["CONFIG", "SET", "maxmemory", "1"]],
    ["NOREPLICAS", ["CONFIG", "SET", "min-replicas-to-write", "1"]],
    ["READONLY", ["REPLICAOF", "127.0.0.1", "1"]],
  ])("is %s from a command, from a script, and caught in a script", async (word, [command = "", ...args]) => {
    await using server = await startTestRedis();
    const client = server.client();
    await client.call(command, ...args);
    const seen: unknown[] = [];
    for (const script of [WRITE, CAUGHT]) {
      const answer = await client.eval(script, 1, "{test}:key").catch((error: unknown) => error);
      seen.push(Array.isArray(answer) ? answer[1] : answer);
    }
    seen.push(await client.set("{test}:key", "x").catch((error: unknown) => error));
    seen.push(
      await client
        .multi()
        .set("{test}:key", "x")
        .exec()
        .catch((error: unknown) => error),
    );
    expect(seen.map(refusalWord)).toEqual([word, word, word, word]);
    expect(seen.map(isPassingRefusal)).toEqual([true, true, true, true]);
  });

  it("is CONNECTION once it is gone, however ioredis says it, and TIMEOUT where it is silent", async () => {
    await using server = await startTestRedis();
    const client = server.client({ maxRetriesPerRequest: 0, retryStrategy: () => 1 });
    const eager = server.client({ enableOfflineQueue: false, retryStrategy: () => null });
    const slow = server.client({ commandTimeout: 5 });
    await Promise.all([client.ping(), new Promise((resolve) => eager.once("ready", resolve))]);
    await client.call("CLIENT", "PAUSE", "60000", "ALL");
    expect(refusalWord(await slow.set("{test}:key", "x").catch((error: unknown) => error))).toBe("TIMEOUT");
    slow.disconnect();
    await server.kill9();
    const lost = await client.get("x").catch((error: unknown) => error);
    const closed = await eager.get("x").catch((error: unknown) => error);
    expect([lost, closed].map(refusalWord)).toEqual(["CONNECTION", "CONNECTION"]);
  });

  it("is CONNECTION too for a transaction that was under way, whose error ioredis hangs on itself", async () => {
    await using server = await startTestRedis();
    const client = server.client();
    await client.ping();
    await server.client().call("CLIENT", "PAUSE", "60000", "ALL");
    const lost = client.multi().set("{test}:key", "x").set("{test}:key", "y").exec();
    client.disconnect();
    const error: unknown = await lost.catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty("previousErrors", expect.arrayContaining([error]));
    expect([refusalWord(error), isPassingRefusal(error)]).toEqual(["CONNECTION", true]);
  });

  it("is final for what will never be taken, and none where the fault is ours", async () => {
    await using server = await startTestRedis();
    const client = server.client();
    await client.set("{test}:key", "x");
    const wrong = await client.lpush("{test}:key", "x").catch((error: unknown) => error);
    const ours = await client.eval("error('oh')", 0).catch((error: unknown) => error);
    expect([wrong, ours].map(refusalWord)).toEqual(["WRONGTYPE", "ERR"]);
    expect([wrong, ours, new TypeError("x is not a function"), null, 7].map(isPassingRefusal)).not.toContain(true);
    expect(refusalWord(new TypeError("x is not a function"))).toBeNull();
  });

  it("is CONNECTION at an address where nobody listens", async () => {
    const nobody = new Redis({
      replyMapping: "legacy",
      lazyConnect: true,
      path: "/nowhere/redis.sock",
      retryStrategy: () => null,
    });
    const heard = new Promise<Error>((resolve) => nobody.once("error", resolve));
    nobody.connect().catch(() => {});
    expect(refusalWord(await heard)).toBe("CONNECTION");
  });
});

describe("a refusal by its text", () => {
  it.each([
    ["OOM", "ERR Error running script (call to f_1): @user_script:12: @user_script: 12: -OOM command not allowed"],
    ["READONLY", "@user_script: 61: -READONLY You can't write against a read only replica."],
    ["OOM", "OOM command not allowed when used memory > 'maxmemory'. script: ab12, on @user_script:3."],
    ["TRYAGAIN", "Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request"],
    ["MOVED", "Too many Cluster redirections. Last error: ReplyError: MOVED 12 127.0.0.1:7001"],
    ["CONNECTION", "Too many Cluster redirections. Last error: Error: Connection is closed."],
    ["CLUSTERDOWN", "CLUSTERDOWN The cluster is down"],
    ["LOADING", "LOADING Redis is loading the dataset in memory"],
    ["MASTERDOWN", "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
    ["MISCONF", "MISCONF Errors writing to the AOF file: No space left on device"],
    ["BUSY", "BUSY Redis is busy running a script."],
    ["UNBLOCKED", "UNBLOCKED force unblock from blocking operation, instance state changed"],
    ["MAXCLIENTS", "ERR max number of clients reached"],
    ["TIMEOUT", "connect ETIMEDOUT"],
    ["CONNECTION", "Cluster isn't ready and enableOfflineQueue options is false"],
    ["OOM", "Redis refused a command (OOM): its memory is full: raise maxmemory"],
    ["CONNECTION", "All sentinels are unreachable. Retrying from scratch after 10ms."],
  ])("is %s, and passes: %s", (word, text) => {
    const errors = [text, new Error(text)];
    if (/^[A-Z]{2,} /.test(text)) errors[1] = Object.assign(new Error(text), { name: "ReplyError" });
    expect(errors.map(refusalWord)).toEqual([word, word]);
    expect(errors.map(isPassingRefusal)).toEqual([true, true]);
  });

  it("is what the last node of a cluster said, and final where that is", () => {
    const refused = Object.assign(new Error("Failed to refresh slots cache."), {
      lastNodeError: Object.assign(new Error("WRONGPASS invalid username-password pair"), { name: "ReplyError" }),
    });
    expect([refusalWord(refused), isPassingRefusal(refused)]).toEqual(["WRONGPASS", false]);
    const closed = Object.assign(new Error("Failed to refresh slots cache."), {
      lastNodeError: new Error("Connection is closed."),
    });
    expect([refusalWord(closed), isPassingRefusal(closed)]).toEqual(["CONNECTION", true]);
  });

  it("is read out of our own sentences, too", () => {
    const of = (message: string): SatyapanError => new SatyapanError(ErrorCode.REDIS_UNREACHABLE, message);
    expect(refusalWord(of("Redis at redis://h cannot be reached: NOAUTH Authentication required. Correct …"))).toBe(
      "NOAUTH",
    );
    expect(refusalWord(of("Redis at redis://h cannot be reached: connect ECONNREFUSED 127.0.0.1:1. Start it"))).toBe(
      "CONNECTION",
    );
    expect(refusalWord(of("Redis at redis://h cannot be reached: LOADING. Wait"))).toBe("LOADING");
    expect(refusalWord(new SatyapanError(ErrorCode.BAD_INPUT, "aadhaar: is missing"))).toBeNull();
  });
});
