import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { Pool } from "undici";
import { BULLMQ_PREFIX } from "../src/queues/names.ts";
import type { PlainJob } from "./plain-side.ts";
import { CALL, type Place, QUEUE } from "./side.ts";

// A process of its own: the least that posts a job's body and reads the reply.

const { redis: path, origin, concurrency } = JSON.parse(process.argv[2] ?? "") as Place;

/** Headers as long as Satyapan's; nothing is signed. */
const headers = {
  developer_key: CALL.developerKey,
  "secret-key": Buffer.alloc(32).toString("base64"),
  "secret-key-timestamp": "1700000000000",
  "content-type": "application/json",
};

const connection = new Redis({ path, maxRetriesPerRequest: null, replyMapping: "legacy" });
const pool = new Pool(origin, { connections: concurrency });
const worker = new Worker<PlainJob, void>(
  QUEUE,
  async ({ data }) => {
    const { body } = await pool.request({ method: "POST", path: CALL.path, headers, body: data.body });
    await body.text();
  },
  { connection, prefix: BULLMQ_PREFIX, concurrency },
);
worker.on("error", (error) => process.stderr.write(`${String(error)}\n`));

process.once("SIGTERM", () => {
  void Promise.all([worker.close(), pool.close()]).then(() => connection.disconnect());
});
