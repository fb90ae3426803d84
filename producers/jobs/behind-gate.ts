import type { GateState } from "../../src/limits/control.ts";
import { gateObstacle } from "../gates/gate-obstacle.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import type { JobRecord } from "../../src/records/record.ts";

/** A gate that opens sooner, in ms, is only the quota's own pace. */
const SHORT_MS = 1_000;

/**
 * A job in line behind a gate that is closed for all: nobody has taken it, so its record says only `queued`. It waits, and
 * whoever looks is told why and until when.
 */
export function behindGate(record: JobRecord, gate: GateState, provider: ProviderName): JobRecord {
  if (record.state !== "queued") return record;
  const obstacle = gateObstacle(gate, [], provider);
  if (obstacle === null || (obstacle.until !== null && obstacle.until < gate.now + SHORT_MS)) return record;
  const next = obstacle.until === null ? null : new Date(obstacle.until).toISOString();
  return { ...record, state: "waiting", reason: obstacle.text, next_attempt_at: next };
}
