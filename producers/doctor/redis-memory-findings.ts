import { GateControl } from "../../src/limits/control.ts";
import { describeLoss } from "../gates/gate-obstacle.ts";
import { PROVIDERS } from "../../src/base/provider-name.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { queuePrefix, queueOf } from "../../src/queues/names.ts";
import { clockMatters, RedisClock } from "../../src/redis/clock.ts";
import type { Finding } from "./finding.ts";

/** The time for which a loss is reported, in ms; a quota by hand that went with it is reported until it is set again. */
const LOSS_MS = 86_400_000;

/** Whether Redis lost its data lately, and whether this machine's clock agrees with Redis'. */
export async function redisMemoryFindings(redis: RedisClient, now: () => number): Promise<Finding[]> {
  const clock = new RedisClock({ now });
  await clock.learn(redis, `${queuePrefix(queueOf("eko"))}control`);
  const findings = [clockFinding(clock.offsetMs)];
  for (const provider of PROVIDERS) {
    const { lost, now: at } = await new GateControl(redis).read(queueOf(provider));
    if (lost === null || (at - lost.at > LOSS_MS && lost.quotaByHand === null)) continue;
    const detail = `${provider}: ${describeLoss(lost, at, provider)}. Jobs that were in it are gone: submit them again`;
    findings.push({ check: "redis data", status: "warning", detail });
  }
  return findings;
}

function clockFinding(offsetMs: number): Finding {
  const check = "redis clock";
  if (!clockMatters(offsetMs)) return { check, status: "ok", detail: "agrees with ours" };
  const detail = `${Math.abs(Math.round(offsetMs / 1_000))} s ${offsetMs < 0 ? "behind" : "ahead of"} ours`;
  return { check, status: "warning", detail: `${detail}: set this machine's clock (NTP); jobs are timed by Redis'` };
}
