import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { assertNotMadeUp, markMadeUp } from "../../../src/privacy/made-up.ts";
import { startTestRedis } from "../../support/redis.ts";

const REAL = { baseUrl: new URL("https://production.deepvue.tech") };
const SIMULATOR = { baseUrl: new URL("http://simulator:4010/ekoapi/v3") };

describe("a Redis that holds made-up people", () => {
  it("is taken by workers of the simulator alone, and by all others once its data is gone", async () => {
    await using server = await startTestRedis();
    const redis = server.client();
    await assertNotMadeUp(redis, { eko: REAL, deepvue: REAL });
    await markMadeUp(redis);
    await assertNotMadeUp(redis, { eko: SIMULATOR, deepvue: SIMULATOR });
    await assertNotMadeUp(redis, { eko: SIMULATOR, deepvue: null });
    const refused = { code: ErrorCode.REDIS_UNSUITABLE, message: expect.stringContaining("made-up people") as string };
    await expect(assertNotMadeUp(redis, { eko: SIMULATOR, deepvue: REAL })).rejects.toMatchObject(refused);
    await expect(assertNotMadeUp(redis, { eko: REAL, deepvue: null })).rejects.toMatchObject(refused);
    await redis.flushall();
    await assertNotMadeUp(redis, { eko: REAL, deepvue: REAL });
  });
});
