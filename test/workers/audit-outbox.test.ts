import { describe, expect, it } from "vitest";
import { asideKey, outboxKey } from "../../src/privacy/audit/outbox.ts";
import { AuditKey } from "../../src/privacy/audit/key.ts";
import { AuditLog, LOG_KEY } from "../../src/privacy/audit/log.ts";
import { verifyAudit } from "../../src/privacy/audit/verify.ts";
import { queueOf } from "../../src/queues/names.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { AADHAAR_INPUT } from "../support/client.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const [EKO, DEEPVUE] = [queueOf("eko"), queueOf("deepvue")];

/** Kinds and jobs of the log's entries. */
async function logged({ redis }: WorkerBundle): Promise<string[]> {
  const blocks = await redis.client().xrange(LOG_KEY, "-", "+");
  const lines = blocks.flatMap(([, [, text = ""]]) => text.split("\n"));
  return lines
    .map((line) => JSON.parse(line) as { kind: string; job?: string })
    .map(({ kind, job }) => `${kind} ${job}`);
}

function linesOf({ log }: WorkerBundle, text: string): Record<string, unknown>[] {
  return log.filter((line) => line.includes(text)).map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function unreadable(port: number): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^satyapan_unreadable_total\{place="audit"\} (\S+)$/m.exec(page)?.[1] ?? 0);
}

describe("an outbox of the audit log in whose place something else stands", () => {
  it("costs no job and no outcome; the entries are in the log all the same, it is counted, and logged once", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    for (const queue of [EKO, DEEPVUE]) await redis.rpush(outboxKey(queue), "something", "else");
    const worker = await bundle.startWorker();
    const otp = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
    const consented = await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT);
    expect((await bundle.client.waitFor(otp.id, { timeoutMs: 60_000 })).state).toBe("succeeded");
    expect((await bundle.client.waitFor(consented.id, { timeoutMs: 60_000 })).state).toBe("succeeded");
    const all = [`call ${otp.id}`, `consent ${consented.id}`, `call ${consented.id}`];
    await expect.poll(async () => await logged(bundle)).toEqual(expect.arrayContaining(all));
    expect(await logged(bundle)).toHaveLength(3);
    await expect.poll(async () => await unreadable(worker.metricsPort)).toBe(2);
    expect(linesOf(bundle, "holds something else than entries").map(({ key, code }) => ({ key, code }))).toEqual(
      [EKO, DEEPVUE].map((queue) => ({ key: outboxKey(queue), code: "unreadable" })),
    );
    expect(await redis.lrange(outboxKey(EKO), 0, -1)).toEqual(["something", "else"]);
    await redis.rename(outboxKey(EKO), `${outboxKey(EKO)}:found`);
    const next = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(2), csp_id: "agent-1" });
    await expect.poll(async () => await logged(bundle)).toContain(`call ${next.id}`);
    const keys = [new AuditKey(bundle.settings.subjectKey)];
    expect(await verifyAudit({ keys, dir: null, log: new AuditLog(redis) })).toMatchObject({
      entries: 4,
      problems: [],
    });
  });

  it("costs none either where something else stands in the place of the second one, too, which gives way", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    for (const key of [outboxKey(EKO), asideKey(EKO)]) await redis.set(key, "something else");
    await bundle.startWorker();
    const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
    expect((await bundle.client.waitFor(id, { timeoutMs: 60_000 })).state).toBe("succeeded");
    await expect.poll(async () => await logged(bundle)).toEqual([`call ${id}`]);
  });

  it("is as one that was filled up to the greatest id: the call's outcome is written, its entry waits beside it", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    const greatest = "18446744073709551615";
    await redis.xadd(outboxKey(EKO), `${greatest}-${greatest}`, "e", "the last one");
    await bundle.startWorker();
    const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
    expect((await bundle.client.waitFor(id, { timeoutMs: 60_000 })).state).toBe("succeeded");
    await expect.poll(async () => await logged(bundle)).toContain(`call ${id}`);
  });
});

describe("what is no entry in an outbox of the audit log", () => {
  it("is counted, and logged once with where it was, without its text", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    const ids: string[] = [];
    for (const text of ["planted words", '{"at":"2026-11-21T10:00:00.000Z","kind":planted}'])
      ids.push(String(await redis.xadd(outboxKey(EKO), "*", "e", text)));
    const worker = await bundle.startWorker();
    await expect.poll(async () => await logged(bundle)).toHaveLength(2);
    await expect.poll(async () => await unreadable(worker.metricsPort)).toBe(2);
    const [line, ...others] = linesOf(bundle, "what is no entry");
    expect(others).toEqual([]);
    expect(line).toMatchObject({ level: "error", key: outboxKey(EKO), count: 2, first: ids[0], last: ids[1] });
    expect(bundle.log.join("")).not.toContain("planted");
  });
});
