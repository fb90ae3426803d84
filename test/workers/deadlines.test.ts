import { describe, expect, it } from "vitest";
import { NO_REPLY, type Outcome } from "../../src/outcomes/outcome.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { Deadlines } from "../../workers/deadlines.ts";
import { unpackRecord } from "../../src/records/packed-record.ts";
import { startWorkerBundle } from "../support/worker.ts";

const NOW = Date.UTC(2026, 4, 22);
const reply = (until: string | null): Outcome => ({
  kind: "succeeded",
  reply: NO_REPLY,
  result: { otp_sent: true, otp_valid_until: until },
});

describe("a provider's deadline of an OTP", () => {
  it("is kept where it can be true; one that is over, or hours ahead, is dropped and logged once", () => {
    const lines: string[] = [];
    const deadlines = new Deadlines(createLogger("info", { write: (line) => void lines.push(line) }));
    const checked = (ms: number): unknown =>
      deadlines.checked(reply(new Date(NOW + ms).toISOString()), "eko.mobile-otp", NOW);
    expect(checked(300_000)).toEqual(reply(new Date(NOW + 300_000).toISOString()));
    for (const ms of [0, -1, -86_400_000, 3_600_001, 9e11]) expect(checked(ms)).toEqual(reply(null));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", operation: "eko.mobile-otp", ms_from_now: 0 });
  });

  it("keeps no verify from the provider though it is months past, as in Eko's published samples", async () => {
    const past = Date.UTC(2026, 4, 22);
    await using bundle = await startWorkerBundle({ simulator: { otpTtlMs: 600_000 } });
    await bundle.startWorker();
    const { client, simulator, redis, log } = bundle;
    const sent = await client.submit("eko.mobile-otp", { mobile: "9123456789", csp_id: "a1" });
    await client.waitFor(sent.id);
    const { otp } = await simulator.waitForOtp("9123456789");
    // A record as a worker before this one kept it.
    const [key = ""] = await redis.client().keys(`satyapan:*:job:*${sent.id}`);
    const fields = unpackRecord(sent.id, await redis.client().hgetall(key));
    const result = fields["result"]?.replace(
      /"otp_valid_until":(null|"[^"]*")/,
      `"otp_valid_until":"${new Date(past).toISOString()}"`,
    );
    expect(result).toContain("2026-05-22");
    await redis.client().del(key);
    await redis.client().hset(key, { ...fields, result: result ?? "" });
    const verify = await client.submit("eko.mobile-otp.verify", { of: sent.id, otp });
    expect(await client.waitFor(verify.id)).toMatchObject({ state: "succeeded" });
    expect(log.join("")).not.toContain("counts instead");
  });
});
