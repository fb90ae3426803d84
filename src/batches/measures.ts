import { measureOnboardings } from "../flows/measure-onboardings.ts";
import type { QueueName } from "../queues/names.ts";
import { openChallengesOf } from "../records/measure-challenges.ts";
import { type MeasureDeps, measureQueue, type QueueMeasures } from "../records/measure-queue.ts";
import type { RetentionTimes } from "../records/settings.ts";
import { refusalWord } from "../redis/refusal.ts";
import type { BatchMeasures } from "../telemetry/batch-metrics.ts";
import type { PersonMeasures } from "../telemetry/person-metrics.ts";
import { BatchStore } from "./batch-store.ts";
import { measureBatches } from "./measure-batches.ts";

/** Everything that is measured of a queue: its jobs and gate, its batches, and the persons who are waited for. */
export interface Measures extends QueueMeasures, PersonMeasures {
  /** Null, as of persons: something else stands where they were. */
  readonly batches: BatchMeasures | null;
}

export interface MeasuringDeps extends Omit<MeasureDeps, "retentionMs"> {
  readonly retention: RetentionTimes;
}

/** Measures it now, in a few round trips at once. Rejects while Redis is away. */
export async function measure({ retention, ...deps }: MeasuringDeps, queue: QueueName): Promise<Measures> {
  const { redis, now } = deps;
  const [measured, batches, challenges, onboardings] = await Promise.all([
    measureQueue({ ...deps, retentionMs: retention.recordMs }, queue),
    ifThere(measureBatches(redis, new BatchStore(redis, retention), queue, now())),
    ifThere(openChallengesOf(redis, queue, now())),
    ifThere(measureOnboardings(redis, queue, now())),
  ]);
  return { ...measured, batches, challenges, onboardings };
}

/** All else is measured nevertheless. */
async function ifThere<T>(measuring: Promise<T>): Promise<T | null> {
  try {
    return await measuring;
  } catch (error) {
    if (refusalWord(error) === "WRONGTYPE") return null;
    throw error;
  }
}
