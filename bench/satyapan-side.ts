import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createClient } from "../producers/index.ts";
import { outboxKey } from "../src/privacy/audit/outbox.ts";
import { bullmqPrefix, dueKey } from "../src/queues/names.ts";
import { CALL, type Place, QUEUE, type Side } from "./side.ts";
import type { OwnCommands } from "./store.ts";

/** Between two looks whether all that is left has been done, in ms: it takes seconds, and looks cost CPU, too. */
const AFTERMATH_LOOK_MS = 25;
/** The jobs under way. */
export const SATYAPAN_ACTIVE = `${bullmqPrefix(QUEUE)}active`;
const MAIN = new URL("../bin/main.ts", import.meta.url);

/** The whole of Satyapan: the library submits, `satyapan worker` works off, with its default settings but for these. */
export function satyapanSide({ store, folder, origin, concurrency }: Place): Side {
  const settings = {
    REDIS_URL: `unix://${store}`,
    EKO_BASE_URL: origin + CALL.path.replace("/tools/kyc/mobile/otp", ""),
    EKO_DEVELOPER_KEY: CALL.developerKey,
    EKO_ACCESS_KEY: "bench-access-key",
    EKO_INITIATOR_ID: CALL.initiatorId,
    EKO_USER_CODE: "10000001",
    EKO_QUOTA: "1000000/1s", // counted, and never reached
    SATYAPAN_ENCRYPTION_KEYS: `bench:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
    WORKER_CONCURRENCY: String(concurrency),
    METRICS_PORT: "0",
    SEAL_INPUTS: "whole", // this and the next as wherever no worker of a version before is left
    RECORD_ARCHIVE: "on",
  };
  const client = createClient({ settings, directory: folder });
  const redis = new Redis({ path: store, replyMapping: "legacy" });
  const ids: string[] = [];
  return {
    worker: { module: MAIN, args: ["worker"], env: settings },
    async submit({ mobile, cspId }) {
      ids.push((await client.submit("eko.mobile-otp", { mobile, csp_id: cspId })).id);
    },
    async submitMany(persons) {
      const inputs = persons.map(({ mobile, cspId }) => ({ mobile, csp_id: cspId }));
      // The lane without a priority, as a job of plain BullMQ.
      const records = await client.submitMany("eko.mobile-otp", inputs, { lane: "interactive" });
      for (const { id } of records) ids.push(id);
    },
    aftermath: async () => await aftermath(redis),
    async assertAllDone() {
      const records = await client.getMany(ids.splice(0));
      const other = records.find((record) => record?.state !== "succeeded");
      if (other === undefined) return;
      // That each was called once, the server's count tells: on a busy machine an attempt may be given up before its request, and made anew.
      throw new Error(`a job of Satyapan has not succeeded: ${JSON.stringify(other)}`);
    },
    async close() {
      await client.close();
      redis.disconnect();
    },
  };
}

/** What the reaper does when an OTP can be answered no more is due at once; and the audit log's entries are chained. */
async function aftermath(redis: Redis): Promise<OwnCommands> {
  const due = dueKey(QUEUE);
  await redis.zunionstore(due, 1, due, "WEIGHTS", 0);
  let looks = 1;
  for (; (await redis.zcard(due)) > 0 || (await redis.xlen(outboxKey(QUEUE))) > 0; looks++)
    await sleep(AFTERMATH_LOOK_MS);
  return { zunionstore: 1, zcard: looks, xlen: looks };
}
