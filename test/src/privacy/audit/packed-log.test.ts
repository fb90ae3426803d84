import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { AuditFiles } from "../../../../src/privacy/audit/files.ts";
import { assertIntact } from "../../../../src/privacy/audit/intact.ts";
import { HEAD_KEY, LOG_KEY, PACKED_KEY } from "../../../../src/privacy/audit/log.ts";
import { verifyAudit } from "../../../../src/privacy/audit/verify.ts";
import { type AuditBundle, startAuditBundle } from "../../../support/audit.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const ALL = 4_000;

/** `ALL` entries are chained, in blocks of 100. */
async function filled(): Promise<AuditBundle> {
  const bundle = await startAuditBundle();
  for (let from = 1; from <= ALL; from += 100) {
    await bundle.append(100, from);
    await bundle.chainAll();
  }
  return bundle;
}

async function packAll({ log }: AuditBundle): Promise<void> {
  while (await log.pack()) {
    // There may be more.
  }
}

async function verified({ key, log }: AuditBundle) {
  return await verifyAudit({ keys: [key], dir: null, log });
}

describe("the packed part of the audit log", () => {
  it("takes a fifth of the memory, leaves the last thousand entries as they are, and tells all of them in order", async () => {
    await using bundle = await filled();
    const { client, log, key } = bundle;
    const before = Number(await client.memory("USAGE", LOG_KEY, "SAMPLES", 0));
    const lines = await bundle.lines();
    await packAll(bundle);
    expect(await log.pack()).toBe(false);
    const packed = Number(await client.memory("USAGE", PACKED_KEY, "SAMPLES", 0));
    expect(packed).toBeLessThan(0.25 * before);
    expect((await bundle.lines()).length).toBeGreaterThanOrEqual(1_000);
    expect((await bundle.lines()).length).toBeLessThan(1_600);
    const told = (await log.after("0", 1_000)).flatMap((block) => block.lines);
    expect(told).toEqual(lines);
    expect(await verified(bundle)).toMatchObject({ entries: ALL, first: 1, last: ALL, problems: [] });
    await expect(assertIntact(client, key)).resolves.toBeUndefined();
    await bundle.append(1, ALL + 1);
    await bundle.chainAll();
    expect(await verified(bundle)).toMatchObject({ last: ALL + 1, problems: [] });
  });

  it("never takes what a folder's files lack", async () => {
    await using bundle = await filled();
    const { client, log } = bundle;
    const [second] = (await log.after("0", 2)).slice(1);
    await client.hset(HEAD_KEY, "filed:aaaa", `${second?.id} ${Date.now()}`);
    await packAll(bundle);
    expect((await log.head()).floor.seq).toBe(200);
    await client.hset(HEAD_KEY, "filed:aaaa", `${second?.id} 0`); // nobody was there for years
    await packAll(bundle);
    expect((await log.head()).floor.seq).toBeGreaterThan(2_000);
    expect(await verified(bundle)).toMatchObject({ entries: ALL, problems: [] });
  });

  it("is written to the files of a folder that comes later, from the first entry", async () => {
    await using bundle = await filled();
    await using place = await makeTempDir();
    await packAll(bundle);
    await using files = new AuditFiles({ redis: bundle.client, key: bundle.key, dir: place.path, onMended: () => {} });
    while ((await files.step()) === "more");
    const { client, key, log } = bundle;
    await client.del(PACKED_KEY);
    expect(await verifyAudit({ keys: [key], dir: place.path, log })).toMatchObject({ entries: ALL, problems: [] });
  });

  it("is packed once though two do it at the same time", async () => {
    await using bundle = await filled();
    await Promise.all([packAll(bundle), packAll(bundle)]);
    expect(await verified(bundle)).toMatchObject({ entries: ALL, problems: [] });
  });

  it("is trimmed like the rest", async () => {
    await using bundle = await filled();
    const { client, log } = bundle;
    await packAll(bundle);
    const [, , third] = await log.after("0", 3);
    const { floor } = await log.head();
    await client.hset(HEAD_KEY, "filed:aaaa", `${third?.id} ${Date.now()}`);
    expect(await log.trim(0)).toBe(3);
    expect(await log.head()).toMatchObject({ floor, base: { seq: Number(third?.id.split("-")[1]) } });
    expect(await verified(bundle)).toMatchObject({ problems: [] });
    await client.hdel(HEAD_KEY, "filed:aaaa");
    await expect.poll(async () => (await log.trim(0), await client.exists(LOG_KEY, PACKED_KEY))).toBeGreaterThan(0);
    await expect.poll(async () => (await log.trim(0), (await log.after("0", 1)).length)).toBe(0);
    expect(await verified(bundle)).toMatchObject({ entries: 0, problems: [] });
  });

  it("is forgotten where a worker of the version before trimmed what came after it", async () => {
    await using bundle = await filled();
    const { client, log } = bundle;
    await packAll(bundle);
    const [first] = await client.xrange(LOG_KEY, "-", "+", "COUNT", 1);
    const line = first?.[1][1]?.split("\n").at(-1) ?? "";
    const seq = Number(/"seq":(\d+)/.exec(line)?.[1]);
    await client.hset(HEAD_KEY, "floor_seq", seq, "floor_hash", /"hash":"([^"]+)"/.exec(line)?.[1] ?? "");
    await client.xdel(LOG_KEY, first?.[0] ?? "");
    expect((await log.head()).base.seq).toBe(seq);
    await bundle.append(1_000, ALL + 1);
    await bundle.chainAll();
    await packAll(bundle);
    expect((await log.head()).base.seq).toBe(seq);
    expect(await verified(bundle)).toMatchObject({ first: seq + 1, last: ALL + 1_000, problems: [] });
  });

  it("shows that it was altered", async () => {
    await using bundle = await filled();
    const { client } = bundle;
    await packAll(bundle);
    const id = (await client.xrange(PACKED_KEY, "-", "+", "COUNT", 1))[0]?.[0] ?? "";
    const blocks = await bundle.log.after("0", 1);
    await client.xdel(PACKED_KEY, id);
    expect((await verified(bundle)).problems[0]).toMatchObject({ kind: "missing" });
    await client.del(PACKED_KEY);
    await client.xadd(PACKED_KEY, blocks[0]?.id ?? "", "z", "nonsense", "n", 500);
    await expect(verified(bundle)).rejects.toMatchObject({ code: ErrorCode.AUDIT_BROKEN });
  });
});
