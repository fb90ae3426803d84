import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GateControl } from "../../../src/limits/control.ts";
import { parseQuota } from "../../../src/limits/parse-quota.ts";
import { ticketSize, TicketSizes } from "../../../src/limits/ticket-size.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const quota = (text: string) => parseQuota(text, "quota");

describe("a ticket's size", () => {
  it.each([
    ["1/1s,30/1m,1000/1d", 1, "Deepvue's: one call a second, and a day's window that lets fewer through"],
    ["4/1s", 1, "one in 250 ms"],
    ["10/1s", 2, "Eko's default"],
    ["5/100ms", 12, "a short window"],
    ["1000/1s", 64, "the most there are"],
    ["100/1s,600/1m", 2, "the window that lets least through decides"],
    ["0/1s", 1, "a quota that lets nobody through"],
  ])("of %s is %i: %s", (text, size) => {
    expect(ticketSize(quota(text))).toBe(size);
  });

  it("without a quota is 1", () => {
    expect(ticketSize([])).toBe(1);
  });
});

describe("the sizes of a producer", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(async () => await redis.stop());

  it("follow the settings until a worker has set a quota, then that, within five seconds", async () => {
    let now = 1_000_000;
    const sizes = new TicketSizes(
      redis.client(),
      () => quota("10/1s"),
      () => now,
    );
    expect(await sizes.of("{eko-0}")).toBe(2);
    await new GateControl(redis.client()).configure("{eko-0}", quota("1000/1s"));
    expect(await sizes.of("{eko-0}")).toBe(2);
    now += 5_000;
    expect(await sizes.of("{eko-0}")).toBe(64);
    expect(await sizes.of("{deepvue-0}")).toBe(2);
  });
});
