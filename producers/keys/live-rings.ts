import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { readPrints, ringIdsOf, type WorkerPrint } from "../../src/limits/fleet.ts";
import { QUEUES } from "../../src/queues/names.ts";
import type { RedisClient } from "../../src/redis/connection.ts";

/** Of each worker that lives the ids of its ring's keys, that which seals first; null: it does not say which it has. */
export type LiveRings = readonly (readonly string[] | null)[];

/** What each worker that lives runs with. Whoever ended without a word counts for another 90 s. */
export async function livePrints(redis: RedisClient): Promise<readonly WorkerPrint[]> {
  const prints = await Promise.all(QUEUES.map(async (queue) => await readPrints(redis, queue)));
  // A worker of two providers is in both.
  return [...new Map<string, WorkerPrint>(prints.flatMap((live) => [...live])).values()];
}

export async function liveRings(redis: RedisClient): Promise<LiveRings> {
  return (await livePrints(redis)).map(ringIdsOf);
}

/** How many do not say which keys they have: of an older version, or what they wrote was altered. */
export function silentIn(rings: LiveRings): number {
  return rings.filter((ring) => ring === null).length;
}

/**
 * That no worker that says what it has would be hurt by retiring `old`. `next`: the key that wraps now; null: a service does.
 * @throws SatyapanError `key-needed`
 */
export function assertReplaced(rings: LiveRings, old: string, next: string | null): void {
  const lacking = next === null ? 0 : rings.filter((ring) => ring?.includes(next) === false).length;
  if (lacking > 0) {
    const [not, them] = lacking === 1 ? ["does not", "it"] : ["do not", "them"];
    throw inUse(`${ofAll(lacking, rings)} ${not} have the key ${next} yet: restart ${them} with the new ring first`);
  }
  const wrapping = rings.filter((ring) => ring?.[0] === old).length;
  if (wrapping > 0) {
    const [wrap, their, them] = wrapping === 1 ? ["still wraps", "its", "it"] : ["still wrap", "their", "them"];
    const how =
      next === null ? `give ${them} the key service` : `put ${next} first in ${their} SATYAPAN_ENCRYPTION_KEYS`;
    throw inUse(`${ofAll(wrapping, rings)} ${wrap} with the key ${old}: ${how} and restart ${them}`);
  }
}

/** Null: all say it. */
export function describeSilent(silent: number): string | null {
  if (silent === 0) return null;
  return silent === 1
    ? "1 worker does not say which keys it has (it is of an older version)"
    : `${silent} workers do not say which keys they have (they are of an older version)`;
}

export function ofAll(some: number, rings: LiveRings): string {
  return `${some} of ${rings.length} ${rings.length === 1 ? "worker" : "workers"}`;
}

function inUse(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.KEY_NEEDED, message);
}
