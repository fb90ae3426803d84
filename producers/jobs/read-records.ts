import { GateControl, type GateState } from "../../src/limits/control.ts";
import { PROVIDERS, type ProviderName } from "../../src/base/provider-name.ts";
import { queueOf, type QueueName } from "../../src/queues/names.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { gateObstacle } from "../gates/gate-obstacle.ts";
import type { ClientConnections } from "../base/client-connections.ts";

const CHUNK = 500;

/** The records of these jobs, null where there is none, in order; the gate is asked where one is only `queued`. */
export async function readRecords(
  { records, redis, traces }: Pick<ClientConnections, "records" | "redis" | "traces">,
  ids: readonly string[],
): Promise<(JobRecord | null)[]> {
  const found: (JobRecord | null)[] = [];
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const perProvider = await Promise.all(
      PROVIDERS.map(async (provider) => {
        const list = await withTraces(traces, queueOf(provider), await records.getMany(queueOf(provider), chunk));
        if (!list.some((record) => record?.state === "queued")) return list;
        const gate = await new GateControl(redis).read(queueOf(provider));
        return list.map((record) => (record === null ? null : behindGate(record, gate, provider)));
      }),
    );
    for (const index of chunk.keys()) {
      found.push(perProvider.map((list) => list[index] ?? null).find((record) => record !== null) ?? null);
    }
  }
  return found;
}

async function withTraces(
  traces: ClientConnections["traces"],
  queue: QueueName,
  list: readonly (JobRecord | null)[],
): Promise<(JobRecord | null)[]> {
  const ids = list.flatMap((record) => (record === null ? [] : [record.id]));
  if (!traces.areKept || ids.length === 0) return [...list];
  const traced = (await traces.ofJobs(queue, ids)).values();
  return list.map((record) => {
    const place = record === null ? null : (traced.next().value?.place ?? null);
    return record === null || place?.isSampled !== true ? record : { ...record, trace_id: place.traceId };
  });
}

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
