import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { createClient, type JobRecord } from "../producers/index.ts";
import { CALL, type Place, type Side } from "./side.ts";

const MAIN = new URL("../bin/main.ts", import.meta.url);

/** The whole of Satyapan: the library submits, `satyapan worker` works off, with its default settings but for these. */
export function satyapanSide({ redis, origin, concurrency }: Place): Side {
  const settings = {
    REDIS_URL: `unix://${redis}`,
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
  };
  const client = createClient({ settings, directory: dirname(redis) });
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
    async assertAllDone() {
      const records = await client.getMany(ids.splice(0));
      const other = records.find((record) => !isDone(record));
      if (other === undefined) return;
      throw new Error(`a job of Satyapan has not succeeded at its first attempt: ${JSON.stringify(other)}`);
    },
    async close() {
      await client.close();
    },
  };
}

function isDone(record: JobRecord | null): boolean {
  return record !== null && record.state === "succeeded" && record.attempts.length === 1;
}
