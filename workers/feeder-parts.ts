import type { Batch } from "../src/batches/batch.ts";
import { BatchStore } from "../src/batches/batch-store.ts";
import { Chunks } from "../src/batches/chunks.ts";
import { OpenInputs } from "../src/batches/open-inputs.ts";
import { RepairStore } from "../src/batches/repair-store.ts";
import { RowStore } from "../src/batches/row-store.ts";
import { OnboardingStore } from "../src/flows/onboarding-store.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import type { JobQueues } from "../src/queues/job-queues.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { TicketPacker } from "../src/records/ticket-packer.ts";
import { RecordStore } from "../src/records/record-store.ts";
import type { RetentionTimes } from "../src/records/settings.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Duty } from "../src/redis/lease.ts";
import type { Secret } from "../src/secrets/secret.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { FeederBatches } from "./feeder-batches.ts";
import { RowCount } from "./feeder-count.ts";
import type { FoldDeps } from "./feeder-fold.ts";
import { JobRows } from "./job-rows.ts";
import { OnboardingRows } from "./onboarding-rows.ts";
import type { RowRuns } from "./row-runs.ts";

export interface FeederDeps {
  readonly queue: QueueName;
  /** A connection of the client's role: it fails fast. */
  readonly redis: RedisClient;
  readonly queues: Pick<JobQueues, "add" | "entriesGone">;
  readonly packer: Pick<TicketPacker, "pack" | "enqueue">;
  readonly duty: Duty;
  readonly dataKeys: DataKeys;
  readonly subjectKey: Secret;
  readonly retention: RetentionTimes;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Redis' time, ms. */
  readonly now: () => number;
}

/** What the feeder's rooms share. */
export interface FeederParts {
  readonly deps: FeederDeps;
  readonly store: BatchStore;
  readonly repairs: RepairStore;
  readonly inputs: OpenInputs;
  readonly batches: FeederBatches;
  readonly counting: RowCount;
  readonly fold: FoldDeps;
  readonly runs: Readonly<Record<Batch["target"]["kind"], RowRuns>>;
}

export function feederParts(deps: FeederDeps): FeederParts {
  const store = new BatchStore(deps.redis, deps.retention);
  const repairs = new RepairStore(deps.redis);
  const rows = new RowStore(deps.redis, deps.retention);
  const chunks = new Chunks(deps.redis, deps.dataKeys);
  const inputs = new OpenInputs(chunks, deps.now);
  const running = { ...deps, store, rows, inputs };
  const records = new RecordStore(deps.redis, deps.retention);
  const onboardings = new OnboardingStore(deps.redis, deps.retention);
  return {
    ...{ deps, store, repairs, inputs },
    batches: new FeederBatches({ ...deps, store, repairs }),
    counting: new RowCount({ ...deps, store }),
    fold: { rows, chunks, metrics: deps.metrics, now: deps.now },
    runs: {
      operation: new JobRows({ ...running, records }),
      flow: new OnboardingRows({ ...running, records, onboardings }),
    },
  };
}
