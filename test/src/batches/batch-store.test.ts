import { expect, it } from "vitest";
import { BatchStore } from "../../../src/batches/batch-store.ts";
import { batchKey } from "../../../src/batches/keys.ts";
import type { AuditEntry } from "../../../src/privacy/audit/entry.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { startTestRedis } from "../../support/redis.ts";
import { sentTwice } from "../../support/sent-twice.ts";

const QUEUE = queueOf("eko");
const RETENTION = { recordMs: 60_000, resultMs: 30_000 };
const T0 = 1_800_000_000_000;

it("says of what was submitted before which batch it is, also where the answer to that was cut off", async () => {
  await using redis = await startTestRedis();
  const entry: AuditEntry = {
    ...({ at: new Date(T0).toISOString(), kind: "batch", actor: "library:test", event: "submit" } as const),
    ...{ batch: "b000000002", jobs: 1 },
  };
  const commit = async (id: string, digest = "digest") =>
    await sentTwice(redis, /b00000000.\r[^]*library:test/, async (client) => {
      const key = batchKey(QUEUE, id);
      await redis.client().hset(key, { state: "checking", kind: "job", rows: "1" });
      await redis.client().set(`${key}:states`, ".");
      await redis.client().hset(`${key}:in`, "0", "sealed");
      await redis.client().hset(`${key}:columns`, "0", "sealed");
      const store = new BatchStore(client, RETENTION);
      return await store.commit({ queue: QUEUE, id, rows: 1, chunks: 1 }, { as: "own", digest }, T0, entry);
    });
  expect(await commit("b000000001")).toEqual({ kind: "done", id: "b000000001" });
  expect(await commit("b000000002")).toEqual({ kind: "there", id: "b000000001" });
  expect(await commit("b000000003", "another")).toEqual({ kind: "conflict", id: "b000000001" });
});
