import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { AuditKey } from "../../../../src/privacy/audit/key.ts";
import { AuditLog, LOG_KEY } from "../../../../src/privacy/audit/log.ts";
import { appendAudit } from "../../../../src/privacy/audit/outbox.ts";
import { AuditTrail } from "../../../../src/privacy/audit/trail.ts";
import { verifyAudit } from "../../../../src/privacy/audit/verify.ts";
import { closeRedis, connectRedis } from "../../../../src/redis/connection.ts";
import type { Duty } from "../../../../src/redis/lease.ts";
import { QUEUES } from "../../../../src/queues/names.ts";
import { parseRedisUrl } from "../../../../src/redis/url.ts";
import { type AuditBundle, callEntry, startAuditBundle, testSubjectKey } from "../../../support/audit.ts";
import { startTestCluster } from "../../../support/redis-cluster.ts";
import { FakeDuty, ON_DUTY } from "../../../support/duty.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const HOUR_MS = 3_600_000;

async function startTrail(
  { redis, subjectKey }: AuditBundle,
  dir: string | null,
  keepMs = HOUR_MS,
  duty: Duty = ON_DUTY,
) {
  const errors: unknown[] = [];
  const deps = { redis: redis.client(), duty, subjectKey, dir, keepMs, onUnreadable: () => {} };
  const onError = (error: unknown): void => void errors.push(error);
  return { errors, trail: await AuditTrail.start({ ...deps, onError, onMended: onError }) };
}

describe("a worker's audit trail", () => {
  it("chains and files what comes, and what is left when it closes", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const { trail, errors } = await startTrail(bundle, place.path);
    await bundle.append(2);
    await expect.poll(async () => (await readdir(place.path)).length).toBe(2);
    await bundle.append(1_200, 3);
    await trail.close();
    expect(await trail.measure()).toMatchObject({ chained: 1_202, backlog: 0 });
    expect((await trail.measure()).fileAgeSeconds).toBeLessThan(10);
    expect(await verifyAudit({ keys: [bundle.key], dir: place.path, log: bundle.log })).toMatchObject({
      ...{ entries: 1_202, problems: [] },
    });
    expect(errors).toEqual([]);
  });

  it("leaves the chain to the one on duty, writes its files all the same, and chains what is left when it closes", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const duty = new FakeDuty();
    duty.held = false;
    const { trail } = await startTrail(bundle, place.path, HOUR_MS, duty);
    await bundle.append(1);
    await bundle.chainAll();
    // In a file: a whole look later it has chained nothing.
    await expect.poll(async () => (await readdir(place.path)).length).toBe(2);
    await bundle.append(1, 2);
    const filed = async (): Promise<number | undefined> => [...(await bundle.log.head()).filed.values()][0]?.at;
    const before = await filed();
    await expect.poll(filed).not.toBe(before);
    expect(await trail.measure()).toMatchObject({ chained: 0, backlog: 1 });
    duty.held = true;
    await expect.poll(async () => (await trail.measure()).chained).toBe(1);
    duty.held = false;
    await bundle.append(1, 3);
    await trail.close();
    expect(await trail.measure()).toMatchObject({ chained: 2, backlog: 0 });
  });

  it("gives the duty to another when the log is chained with another key than it has", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(1);
    await bundle.chainAll();
    const duty = new FakeDuty();
    const { trail, errors } = await startTrail(bundle, null, HOUR_MS, duty);
    await bundle.log.rekey(bundle.key.id, "00000000");
    await bundle.append(1, 2);
    await expect.poll(() => duty.aside).toBe(1);
    expect(errors[0]).toMatchObject({ code: ErrorCode.AUDIT_BROKEN });
    await trail.close();
  });

  it("trims what is older than it has to be kept", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(3);
    await bundle.chainAll();
    const { trail } = await startTrail(bundle, null, 1);
    await expect.poll(async () => await bundle.client.xlen(LOG_KEY)).toBe(0);
    expect(await trail.measure()).toMatchObject({ fileAgeSeconds: null });
    await trail.close();
  });

  it("packs what is older than the last thousand entries while it chains", async () => {
    await using bundle = await startAuditBundle();
    const { trail, errors } = await startTrail(bundle, null);
    await bundle.append(3_000);
    await expect.poll(async () => (await bundle.log.head()).floor.seq).toBeGreaterThanOrEqual(1_500);
    await trail.close();
    const { key, log } = bundle;
    expect(await verifyAudit({ keys: [key], dir: null, log })).toMatchObject({ entries: 3_000, problems: [] });
    expect(errors).toEqual([]);
  });

  it("goes on by itself after Redis was away", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const { trail } = await startTrail(bundle, place.path);
    await bundle.append(1);
    await expect.poll(async () => (await bundle.log.head()).filed.size).toBe(1);
    await bundle.redis.kill9();
    await bundle.redis.restart();
    await bundle.append(1, 2);
    const filed = async (): Promise<number | undefined> => [...(await bundle.log.head()).filed.values()][0]?.seq;
    await expect.poll(filed).toBe(2);
    await trail.close();
  });

  it("does not start on a broken log", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(2);
    await bundle.chainAll();
    await bundle.client.del(LOG_KEY);
    await expect(startTrail(bundle, null)).rejects.toMatchObject({ code: ErrorCode.AUDIT_BROKEN });
  });
});

describe("the audit trail in a Redis Cluster", () => {
  it("chains the entries of queues that lie on other nodes than the log, and files them", async () => {
    await using cluster = await startTestCluster();
    await using place = await makeTempDir();
    const client = connectRedis(parseRedisUrl(cluster.url), "worker", () => {});
    await using closing = new AsyncDisposableStack();
    closing.defer(async () => await closeRedis(client));
    const subjectKey = testSubjectKey();
    const onError = (error: unknown): void => expect.fail(String(error));
    const deps = {
      redis: client,
      duty: ON_DUTY,
      subjectKey,
      dir: place.path,
      keepMs: HOUR_MS,
      onError,
      onMended: onError,
      onUnreadable: onError,
    };
    const trail = await AuditTrail.start(deps);
    for (const queue of QUEUES) await appendAudit(client, queue, [callEntry(1), callEntry(2)]);
    await trail.close();
    const keys = [new AuditKey(subjectKey)];
    const verified = await verifyAudit({ keys, dir: place.path, log: new AuditLog(client) });
    expect(verified).toMatchObject({ entries: 2 * QUEUES.length, problems: [], notes: [] });
  });
});
