import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { AuditChain } from "../../../../src/privacy/audit/chain.ts";
import { ChainCheck } from "../../../../src/privacy/audit/check.ts";
import { assertIntact } from "../../../../src/privacy/audit/intact.ts";
import { AuditKey } from "../../../../src/privacy/audit/key.ts";
import { readLine } from "../../../../src/privacy/audit/line.ts";
import { HEAD_KEY, LOG_KEY } from "../../../../src/privacy/audit/log.ts";
import { appendAudit, AUDIT, outboxKey } from "../../../../src/privacy/audit/outbox.ts";
import { queuePrefix, QUEUES, queueOf } from "../../../../src/queues/names.ts";
import { type AuditBundle, callEntry, rewriteLog, startAuditBundle, testSubjectKey } from "../../../support/audit.ts";
import { sentTwice } from "../../../support/sent-twice.ts";
import { luaSource } from "../../../support/lua.ts";
import { Script } from "../../../support/script.ts";

/** The numbers of the jobs in the log, in its order; fails where the chain does not hold. */
async function jobsOf({ key, lines, log }: AuditBundle): Promise<number[]> {
  const { chain } = await log.head();
  const check = new ChainCheck([key], { seq: 0, hash: chain });
  const all = await lines();
  for (const [index, line] of all.entries()) check.line("log", index + 1, line);
  check.end();
  expect(check.problems).toEqual([]);
  return all.map((line) => Number(/"job":"job-(\d+)"/.exec(line)?.[1]));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const inOrder = (numbers: readonly number[]): number[] => numbers.toSorted((one, other) => one - other);

describe("the audit chain", () => {
  it("takes what the journal's scripts and the library wrote, from every queue, and leaves the outboxes empty", async () => {
    await using bundle = await startAuditBundle();
    const { client, chain, log } = bundle;
    const append = luaSource([AUDIT], "audit(ARGV[1], ARGV[2])");
    const text = '{"at":"2026-11-21T10:00:00.000Z","kind":"replay","job":"job-1"}';
    await client.eval(append, 0, queuePrefix(queueOf("eko")), text);
    await client.eval(append, 0, queuePrefix(queueOf("eko")), "");
    await appendAudit(client, queueOf("deepvue"), [callEntry(2), callEntry(3)]);
    expect(await chain.backlog()).toBe(3);
    expect(await chain.step()).toBe("idle");
    expect(await jobsOf(bundle)).toEqual([1, 2, 3]);
    expect(await chain.backlog()).toBe(0);
    expect(chain.chained).toBe(3);
    const read = (await bundle.lines()).map((line) => readLine(line));
    expect(read.map((line) => line?.seq)).toEqual([1, 2, 3]);
    expect(read.map((line) => line?.source.split("/")[0])).toEqual(["eko-0", "deepvue-0", "deepvue-0"]);
    expect(read[0]?.text).toBe(text);
    expect(await log.head()).toMatchObject({ seq: 3, hash: read[2]?.hash, keyId: bundle.key.id });
    expect(await chain.step()).toBe("idle");
  });

  it("chains each entry once though four processes do it at once and two of them are killed", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(1);
    const args = [bundle.redis.url.replace("unix://", ""), bundle.subjectKey.open()];
    await using workers = new AsyncDisposableStack();
    const [first, second] = upTo(4).map(() => workers.use(new Script("audit-worker.ts", args)));
    await expect.poll(async () => (await bundle.log.head()).seq).toBe(1);
    for (const round of upTo(20)) {
      await bundle.append(100, 2 + (round - 1) * 100);
      if (round === 7) await first?.kill9();
      if (round === 14) await second?.kill9();
    }
    await expect.poll(async () => (await bundle.log.head()).seq).toBe(2_001);
    await expect.poll(async () => await bundle.chain.backlog()).toBe(0);
    expect(await jobsOf(bundle)).toEqual(upTo(2_001));
  });

  it("chains nothing twice if it is killed between the log and the outbox, and sweeps up behind it", async () => {
    await using bundle = await startAuditBundle();
    const { client, key, chain } = bundle;
    await client.acl("SETUSER", "cut", "on", "nopass", "~*", "+@all", "-xtrim");
    const cut = bundle.redis.client({ username: "cut", password: "any" });
    await bundle.append(3);
    await expect(new AuditChain({ redis: cut, key, queues: QUEUES }).step()).rejects.toThrow("NOPERM");
    expect(await chain.backlog()).toBe(3);
    await bundle.append(1, 4);
    await bundle.chainAll();
    expect(await jobsOf(bundle)).toEqual(upTo(4));
    expect(await chain.backlog()).toBe(0);
    await bundle.append(1, 5);
    await expect(new AuditChain({ redis: cut, key, queues: QUEUES }).step()).rejects.toThrow("NOPERM");
    expect(await chain.step()).toBe("idle");
    await chain.sweep();
    expect(await chain.backlog()).toBe(0);
    expect(await jobsOf(bundle)).toEqual(upTo(5));
  });

  it("says that another was faster, and writes nothing then", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(1);
    const head = await bundle.log.head();
    await bundle.chainAll();
    const late = { keyId: bundle.key.id, at: head.now, hash: "x", lines: ["late"] };
    expect(await bundle.log.extend(head, late, new Map())).toBe("moved");
    expect(await bundle.lines()).toHaveLength(1);
  });

  it("takes it for its own where the step that made it longer is sent again, because its answer was cut off", async () => {
    await using bundle = await startAuditBundle();
    const { key } = bundle;
    await bundle.append(3);
    const chained = await sentTwice(bundle.redis, /"job":"job-3"/, async (redis) => {
      const chain = new AuditChain({ redis, key, queues: QUEUES });
      expect(await chain.step()).toBe("idle");
      return chain.chained;
    });
    expect([chained, await jobsOf(bundle)]).toEqual([3, [1, 2, 3]]);
  });

  it("keeps a trace of what is no entry, without its text, and goes on", async () => {
    await using bundle = await startAuditBundle();
    for (const text of ["no JSON", '{"at":"x"}\n{"seq":1}', '{"at":"cut'])
      await bundle.client.xadd(outboxKey(queueOf("eko")), "*", "e", text);
    await bundle.append(1);
    await bundle.chainAll();
    const lines = await bundle.lines();
    expect(lines.filter((line) => line.includes('"kind":"unreadable"'))).toHaveLength(3);
    expect(lines.join("")).not.toContain("no JSON");
    expect(await jobsOf(bundle)).toHaveLength(4);
  });

  it("refuses to go on with another key, and the entries wait", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(1);
    await bundle.chainAll();
    await bundle.append(1, 2);
    const other = new AuditKey(testSubjectKey());
    const step = new AuditChain({ redis: bundle.client, key: other, queues: QUEUES }).step();
    await expect(step).rejects.toMatchObject({ code: ErrorCode.AUDIT_BROKEN });
    expect(await bundle.chain.backlog()).toBe(1);
    await bundle.chainAll();
    expect(await jobsOf(bundle)).toEqual([1, 2]);
  });

  it("refuses to begin anew where its head was taken away", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(1);
    await bundle.chainAll();
    await bundle.client.del(HEAD_KEY);
    await bundle.append(1, 2);
    await expect(bundle.chain.step()).rejects.toMatchObject({ code: ErrorCode.AUDIT_BROKEN });
    expect(await bundle.lines()).toHaveLength(1);
  });

  it.each([HEAD_KEY, LOG_KEY])(
    "refuses to go on where something else is in the place of %s, and says where",
    async (place) => {
      await using bundle = await startAuditBundle();
      await bundle.append(1);
      await bundle.chainAll();
      await bundle.append(1, 2);
      await bundle.client.set(place, "something else");
      await expect(bundle.chain.step()).rejects.toMatchObject({
        ...{ code: ErrorCode.AUDIT_BROKEN, message: expect.stringContaining(LOG_KEY) as string },
      });
      expect(await bundle.chain.backlog()).toBe(1);
    },
  );

  it("is never dated before the entry in front of it", async () => {
    await using bundle = await startAuditBundle();
    const future = Date.parse("2099-01-01T00:00:00Z");
    await bundle.append(1);
    await bundle.client.hset(HEAD_KEY, "at", future);
    await bundle.chainAll();
    expect(readLine((await bundle.lines())[0] ?? "")?.chained).toBe("2099-01-01T00:00:00.000Z");
  });

  it("refuses an entry that must not be written, in words that do not repeat it", async () => {
    await using bundle = await startAuditBundle();
    const number = "98765 43210";
    const { at } = callEntry(1);
    const entry = { at, kind: "reveal", actor: "command:asha", job: "job-1", operation: "eko.mobile-otp" } as const;
    const bad = { ...entry, subject: null, consent: null, reason: `asked by ${number}` };
    const refused = appendAudit(bundle.client, queueOf("eko"), [bad]).catch((error: unknown) => String(error));
    expect(await refused).toContain("must not hold what looks like a person's number");
    expect(await refused).not.toContain(number);
    expect(await bundle.client.exists(outboxKey(queueOf("eko")))).toBe(0);
  });
});

describe("the log's retention", () => {
  it("trims what is old, keeps what the first entry follows, and never what a folder's files lack", async () => {
    await using bundle = await startAuditBundle();
    const { client, log, key } = bundle;
    const left = async (): Promise<number> => {
      await log.trim(0);
      return await client.xlen(LOG_KEY);
    };
    for (const n of upTo(4)) {
      await bundle.append(1, n);
      await bundle.chainAll();
    }
    expect(await log.trim(60_000)).toBe(0);
    const ids = (await log.after("0", 10)).map(({ id }) => id);
    await client.hset(HEAD_KEY, "filed:aaaa", `${ids[2]} ${Date.now()}`, "filed:bbbb", `${ids[1]} ${Date.now()}`);
    await expect.poll(left).toBe(2);
    expect(await log.trim(0)).toBe(0);
    await client.hset(HEAD_KEY, "filed:bbbb", `${ids[1]} 0`); // nobody was there for years
    expect(await log.trim(0)).toBe(1);
    expect((await log.head()).floor.seq).toBe(3);
    await expect(assertIntact(client, key)).resolves.toBeUndefined();
    await bundle.append(1, 5);
    await bundle.chainAll();
    await client.hdel(HEAD_KEY, "filed:aaaa");
    await expect.poll(left).toBe(0);
    await expect(assertIntact(client, key)).resolves.toBeUndefined();
  });
});

describe("the check at start", () => {
  const broken = { code: ErrorCode.AUDIT_BROKEN };

  it("passes with nothing, with few entries, and with many", async () => {
    await using bundle = await startAuditBundle();
    await expect(assertIntact(bundle.client, bundle.key)).resolves.toBeUndefined();
    await bundle.append(99);
    await bundle.chainAll();
    await expect(assertIntact(bundle.client, bundle.key)).resolves.toBeUndefined();
    for (const n of upTo(30)) {
      await bundle.append(5, 95 + n * 5);
      await bundle.chainAll();
    }
    await expect(assertIntact(bundle.client, bundle.key)).resolves.toBeUndefined();
  });

  it.each<[string, (bundle: AuditBundle) => Promise<unknown>]>([
    ["an entry was removed", async ({ client }) => await rewriteLog(client, (line, seq) => (seq === 61 ? null : line))],
    [
      "the last entry was removed",
      async ({ client }) => await rewriteLog(client, (line, seq) => (seq === 120 ? null : line)),
    ],
    [
      "an entry was altered",
      async ({ client }) => await rewriteLog(client, (line) => line.replace("job-61", "job-16")),
    ],
    [
      "the last entry was altered",
      async ({ client }) => await rewriteLog(client, (line) => line.replace("job-120", "job-1")),
    ],
    ["its head was set back", async ({ client }) => await client.hset(HEAD_KEY, "seq", 119)],
    ["its head was removed", async ({ client }) => await client.del(HEAD_KEY)],
    [
      "something else is in its head's place",
      async ({ client }) => await client.multi().del(HEAD_KEY).set(HEAD_KEY, "something else").exec(),
    ],
    [
      "something else is in the stream's place",
      async ({ client }) => await client.multi().del(LOG_KEY).set(LOG_KEY, "something else").exec(),
    ],
    ["the stream was removed", async ({ client }) => await client.del(LOG_KEY)],
  ])("refuses where %s", async (_what, harm) => {
    await using bundle = await startAuditBundle();
    await bundle.append(120);
    await bundle.chainAll();
    await harm(bundle);
    await expect(assertIntact(bundle.client, bundle.key)).rejects.toMatchObject(broken);
  });

  it("refuses another key, and names both ids", async () => {
    await using bundle = await startAuditBundle();
    await bundle.append(1);
    await bundle.chainAll();
    const other = new AuditKey(testSubjectKey());
    const message = expect.stringMatching(new RegExp(`${bundle.key.id}.*${other.id}`)) as string;
    await expect(assertIntact(bundle.client, other)).rejects.toMatchObject({ ...broken, message });
  });
});

describe("many workers", () => {
  it("interleave without loss when they are in one process, too", async () => {
    await using bundle = await startAuditBundle();
    const { client, key } = bundle;
    const chains = upTo(4).map(() => new AuditChain({ redis: client, key, queues: QUEUES }));
    for (const round of upTo(10)) {
      await bundle.append(20, 1 + (round - 1) * 20);
      await Promise.all(chains.map(async (chain) => await chain.step()));
    }
    await bundle.chainAll();
    expect(inOrder(await jobsOf(bundle))).toEqual(upTo(200));
  });
});
