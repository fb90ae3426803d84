import { Registry } from "prom-client";
import { TicketSizes } from "../src/limits/ticket-size.ts";
import { JobQueues } from "../src/queues/job-queues.ts";
import { HEARTBEAT_QUEUE } from "../src/queues/names.ts";
import { RecordStore } from "../src/records/record-store.ts";
import { TicketPacker } from "../src/records/ticket-packer.ts";
import type { Duty } from "../src/redis/lease.ts";
import { Secret } from "../src/secrets/secret.ts";
import { Metrics } from "../src/telemetry/metrics.ts";
import { Providers } from "./calls.ts";
import { BEAT_RETENTION, Heartbeat } from "./heartbeat.ts";
import { serveCredential, type ServedCredential, type ServeOptions } from "./served-credential.ts";
import { closeInTime } from "./shutdown.ts";

/** What its calls are signed with: known to all, so that no credential of a provider's goes to its address. */
const KNOWN = new Secret("heartbeat", "hidden");
/** Far more than there are. */
const QUOTA = [{ max: 100, ms: 1_000 }];

export interface ServedHeartbeat {
  readonly heartbeat: Heartbeat;
  readonly credential: ServedCredential;
}

/**
 * Opens the heartbeat onto `started`: a queue, a gate and a connection of its own, and counts that nobody sees, so that no ratio,
 * quota or breaker of a provider has it in it.
 */
export async function serveHeartbeat(
  baseUrl: URL,
  options: ServeOptions,
  { duty, now }: { readonly duty: Duty; readonly now: () => number },
  started: AsyncDisposableStack,
): Promise<ServedHeartbeat> {
  const { core } = options;
  const { settings, probe, redisNow, keyChain, ids, logger } = core;
  const known = { developerKey: KNOWN, accessKey: KNOWN, initiatorId: "heartbeat", userCode: "heartbeat" };
  const eko = { ...known, baseUrl, aadhaarPublicKey: null, aepsAadhaarField: "aadhaar" } as const;
  const providers = new Providers({ ...settings, eko, deepvue: null, paths: {} }, now, undefined, core.monotonic);
  started.defer(async () => await providers.destroy());
  const records = new RecordStore(probe, BEAT_RETENTION);
  const own = {
    // It is nobody's way, so it has no trace.
    ...{ ...core, providers, records, tracing: null, metrics: new Metrics(new Registry()) },
    settings: { ...settings, retention: BEAT_RETENTION },
  };
  const credential = await serveCredential(HEARTBEAT_QUEUE, QUOTA, { ...options, core: own }, started);
  const queues = new JobQueues(probe, redisNow);
  started.defer(async () => await closeInTime(queues.close()));
  const sizes = new TicketSizes(probe, () => QUOTA, redisNow);
  const packer = new TicketPacker({ queues, sizes, unique: () => ids.job(redisNow()) });
  const heartbeat = new Heartbeat({
    ...{ redis: probe, duty, records, packer, dataKeys: keyChain.dataKeys, logger, now: redisNow },
    subjectKey: settings.subjectKey,
  });
  started.defer(async () => await closeInTime(heartbeat.close()));
  return { heartbeat, credential };
}
