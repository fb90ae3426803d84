import { GateControl } from "../../src/limits/control.ts";
import { PROVIDERS } from "../../src/base/provider-name.ts";
import { queueOf } from "../../src/queues/names.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { behindGate } from "./behind-gate.ts";
import type { Opened } from "../opened.ts";

const CHUNK = 500;

/** The records of these jobs, null where there is none, in order; the gate is asked where one is only `queued`. */
export async function readRecords(
  { records, redis }: Pick<Opened, "records" | "redis">,
  ids: readonly string[],
): Promise<(JobRecord | null)[]> {
  const found: (JobRecord | null)[] = [];
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const perProvider = await Promise.all(
      PROVIDERS.map(async (provider) => {
        const list = await records.getMany(queueOf(provider), chunk);
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
