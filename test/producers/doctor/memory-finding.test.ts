import { describe, expect, it } from "vitest";
import { memoryFinding } from "../../../producers/doctor/memory-finding.ts";
import { memoryOf, readMemory } from "../../../src/redis/memory.ts";
import { startTestRedis } from "../../support/redis.ts";

const DAY = 86_400_000;
const GB = 1e9;

/** As INFO has it. */
function info(given: { used: number; max?: number; machine?: number; expires?: number; leftMs?: number }): string {
  const { used, max = 0, machine = 0, expires = 0, leftMs = 0 } = given;
  const memory = `used_memory:${used}\r\nused_memory_startup:1000000\r\ntotal_system_memory:${machine}\r\nmaxmemory:${max}\r\n`;
  return `# Memory\r\n${memory}# Keyspace\r\ndb0:keys=${expires + 5},expires=${expires},avg_ttl=${leftMs}\r\n`;
}

const found = (...given: Parameters<typeof info>) => memoryFinding([memoryOf(info(...given))], 30 * DAY);

describe("what satyapan doctor finds of Redis' memory", () => {
  it("is how much is used, of maxmemory or of the machine", () => {
    expect(found({ used: 0.1 * GB, max: GB })).toEqual({
      ...{ check: "redis memory", status: "ok", detail: "100.0 MB of 1.0 GB (maxmemory) are used" },
    });
    expect(found({ used: 0.1 * GB, machine: 8 * GB }).detail).toBe("100.0 MB of 8.0 GB (the machine) are used");
    expect(memoryFinding([], DAY)).toEqual({
      ...{ check: "redis memory", status: "skipped", detail: "Redis does not say how much memory it has" },
    });
  });

  it("is a warning where it is nearly full", () => {
    expect(found({ used: 0.9 * GB, max: GB })).toEqual({
      check: "redis memory",
      status: "warning",
      detail:
        "900.0 MB of 1.0 GB (maxmemory) are used, 90 %: raise maxmemory, or shorten RECORD_RETENTION: when it is full new jobs are refused",
    });
  });

  it("is a warning where the records of a whole retention will not fit, with how that was reckoned", () => {
    // Three days of thirty: 28.5 left on average.
    expect(found({ used: 0.201 * GB, max: GB, expires: 100_000, leftMs: 28.5 * DAY })).toEqual({
      check: "redis memory",
      status: "warning",
      detail:
        "201.0 MB of 1.0 GB (maxmemory) are used, which will not do: 100000 keys that expire (records and what leads to them) have 29 days left on " +
        "average, so they came in about 3 days; in RECORD_RETENTION (30d) that grows to about 2.0 GB: raise maxmemory, or " +
        "shorten RECORD_RETENTION (docs/deployment.md has the formula)",
    });
    expect(found({ used: 0.201 * GB, max: 8 * GB, expires: 100_000, leftMs: 28.5 * DAY }).status).toBe("ok");
  });

  it("reckons nothing from few keys, young ones, or a retention that has passed once", () => {
    const base = { used: 0.5 * GB, max: GB };
    expect(found({ ...base, expires: 999, leftMs: 28.5 * DAY }).status).toBe("ok");
    expect(found({ ...base, expires: 100_000, leftMs: 30 * DAY - 60_000 }).status).toBe("ok");
    expect(found({ ...base, expires: 100_000, leftMs: 15 * DAY }).status).toBe("ok");
  });

  it("is that of the fullest node of a Cluster", () => {
    const nodes = [0.1, 0.85].map((share) => memoryOf(info({ used: share * GB, max: GB })));
    expect(memoryFinding(nodes, DAY).detail).toMatch(/^850\.0 MB of 1\.0 GB/);
  });

  it("is reckoned from what a real Redis says of keys that came in evenly over three days", async () => {
    await using redis = await startTestRedis();
    const client = redis.client();
    await client.eval(
      `for n = 1, 20000 do
         redis.call('SET', 'k' .. n, string.rep('x', 200), 'PX', 30 * ${DAY} - math.floor(3 * ${DAY} * n / 20000))
       end`,
      0,
    );
    await expect.poll(async () => (await readMemory(client))[0]?.averageLeftMs).toBeGreaterThan(0);
    const [memory] = await readMemory(client);
    await client.config("SET", "maxmemory", String((memory?.used ?? 0) * 2));
    const { status, detail } = memoryFinding(await readMemory(client), 30 * DAY);
    expect(status).toBe("warning");
    expect(detail).toMatch(/^[\d.]+ MB of [\d.]+ MB \(maxmemory\) are used, which will not do: 20000 keys that expire/);
    expect(detail).toMatch(/so they came in about [234] days; in RECORD_RETENTION \(30d\) that grows to about /);
  });
});
