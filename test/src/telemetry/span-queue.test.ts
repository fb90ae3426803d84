import { describe, expect, it } from "vitest";
import type { Span } from "../../../src/telemetry/tracing/span.ts";
import { SpanQueue } from "../../../src/telemetry/tracing/span-queue.ts";
import { Lived } from "../../support/lived.ts";

const span = (n: number): Span => ({
  ...{ traceId: "1".repeat(32), spanId: String(n), parentId: null, name: "job", kind: "internal" },
  ...{ startedAt: n, endedAt: n, attributes: {}, isFailed: false },
});
const spans = (count: number): Span[] => Array.from({ length: count }, (_, n) => span(n));

function setup(send: (some: readonly Span[]) => Promise<void>, everyMs = 5) {
  const told = { sent: 0, batches: [] as number[], dropped: [] as [number, string][] };
  const queue = new SpanQueue({
    everyMs,
    send: async (some) => {
      told.batches.push(some.length);
      await send(some);
    },
    onSent: (count) => (told.sent += count),
    onDropped: (count, reason) => void told.dropped.push([count, reason]),
  });
  return { queue, told };
}

describe("spans on their way", () => {
  it("go together, at most 512 at once, in order", async () => {
    const sent: Span[] = [];
    const { queue, told } = setup(async (some) => await Promise.resolve(void sent.push(...some)));
    queue.offer(spans(1_300));
    await expect.poll(() => told.sent).toBe(1_300);
    expect(told.batches).toEqual([512, 512, 276]);
    expect(sent.map(({ startedAt }) => startedAt)).toEqual(Array.from({ length: 1_300 }, (_, n) => n));
    await queue.close();
  });

  it("never make anybody wait, nor fill the memory, where the collector is slow: what is too much is dropped and counted", async () => {
    const gate = Promise.withResolvers<void>();
    const { queue, told } = setup(async () => await gate.promise);
    queue.offer(spans(512));
    await expect.poll(() => told.batches).toEqual([512]);
    for (let n = 0; n < 10_000; n++) queue.offer([span(n)]);
    expect(told.dropped).toHaveLength(10_000 - 2_048);
    expect(told.dropped[0]).toEqual([1, "full"]);
    gate.resolve();
    await expect.poll(() => told.sent).toBe(512 + 2_048);
    await queue.close();
  });

  it("are dropped and counted where the collector does not take them, and the next ones are tried", async () => {
    let isAway = true;
    const { queue, told } = setup(async () => await (isAway ? Promise.reject(new Error("away")) : Promise.resolve()));
    queue.offer(spans(3));
    await expect.poll(() => told.dropped).toEqual([[3, "failed"]]);
    isAway = false;
    queue.offer(spans(2));
    await expect.poll(() => told.sent).toBe(2);
    await queue.close();
  });

  it("are sent at the end, and an end does not wait for a collector that never answers", async () => {
    const { queue, told } = setup(async () => await Promise.resolve(), 3_600_000);
    queue.offer(spans(5));
    await queue.close();
    expect(told.sent).toBe(5);
    const stuck = setup(async () => await new Promise<never>(() => {}), 1);
    stuck.queue.offer(spans(5));
    await expect.poll(() => stuck.told.batches).toEqual([5]);
    using lived = new Lived();
    await stuck.queue.close();
    expect(lived.ms).toBeLessThan(10_000);
    expect(stuck.told.dropped).toEqual([[5, "failed"]]);
  });
});
