import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../../../producers/doctor/diagnose.ts";
import { WRAPS_SINCE } from "../../../src/privacy/keys/data-key-store.ts";
import { satyapan } from "../../support/command.ts";
import { MOBILE_INPUT } from "../../support/client.ts";
import { makeTempDir, type TempDir } from "../../support/temp-dir.ts";
import { startWorkerBundle, type WorkerBundle } from "../../support/worker.ts";

const newKey = (): string => randomBytes(32).toString("base64");
const KEYS = {
  SATYAPAN_ENCRYPTION_KEYS: `k1:${newKey()}`,
  SATYAPAN_SUBJECT_KEY: newKey(),
};

let dir: TempDir;
let bundle: WorkerBundle;
beforeAll(async () => {
  dir = await makeTempDir();
  bundle = await startWorkerBundle({ env: KEYS });
  await bundle.startWorker();
  const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
  await bundle.client.waitFor(id);
});
afterAll(async () => {
  await bundle[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const chainedWith = async () => await bundle.redis.client().hget("satyapan:{audit}:head", "key");

async function doctor(env: Readonly<Record<string, string>> = {}) {
  const all = { ...KEYS, REDIS_URL: bundle.redis.url, ...env };
  const { code, stdout } = await satyapan(["doctor", "--json"], { cwd: dir.path, env: all });
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  const of = (check: string): string[] =>
    findings.filter((finding) => finding.check === check).map(({ status, detail }) => `${status}: ${detail}`);
  return { code, of, stdout };
}

describe("satyapan doctor beside a worker", () => {
  it("finds that the keys are those of the worker and that it does what one does for all", async () => {
    const { code, of } = await doctor();
    expect(code).toBe(0);
    expect(of("keys")[0]).toMatch(/^ok: they open \d data keys?$/);
    expect(of("subject key")).toEqual(["ok: it is that of the others"]);
    expect(of("duty")).toEqual(["ok: one worker does what one does for all"]);
    expect(of("heartbeat")).toEqual([]);
  });

  it("tells a key ring that lacks what jobs are sealed under, and a key that is another of the same id", async () => {
    const lacking = await doctor({ SATYAPAN_ENCRYPTION_KEYS: `k2:${newKey()}` });
    expect(lacking.code).toBe(2);
    expect(lacking.of("keys")[0]).toMatch(
      /^failed: \d data keys? wrapped by "k1" cannot be opened here: it needs the key "k1", which is not among .*: put it back into SATYAPAN_ENCRYPTION_KEYS/,
    );
    const other = newKey();
    const exchanged = await doctor({ SATYAPAN_ENCRYPTION_KEYS: `k1:${other}` });
    expect(exchanged.code).toBe(1);
    expect(exchanged.of("keys")[0]).toMatch(/^failed: .* or wrapped by another key of the same id$/);
    expect(exchanged.stdout).not.toContain(other);
  });

  it("tells a key that has wrapped for nearly as long as it may, and so does `keys status`", async () => {
    const redis = bundle.redis.client();
    const wrapped = async (days: number) => await redis.hset(WRAPS_SINCE, "k1", Date.now() - days * 86_400_000);
    await wrapped(334);
    expect((await doctor()).of("keys")[0]).toMatch(/^ok: /);
    await wrapped(340);
    const { code, of } = await doctor();
    expect([code, of("keys")]).toEqual([
      0,
      ['warning: the key "k1" has wrapped for 340d of its 365d (KEY_LIFE): replace it, docs/runbooks/key-retires.md'],
    ]);
    const env = { ...KEYS, REDIS_URL: bundle.redis.url };
    const { stdout } = await satyapan(["keys", "status"], { cwd: dir.path, env });
    expect(stdout).toMatch(/\nk1 +\d +1 of 1 +wraps new data keys, for 340d\n/);
    await wrapped(0);
  });

  it("tells another SATYAPAN_SUBJECT_KEY by the workers, and without them by the audit log", async () => {
    const other = { SATYAPAN_SUBJECT_KEY: newKey() };
    const beside = await doctor(other);
    expect(beside.code).toBe(1);
    expect(beside.of("subject key")[0]).toMatch(
      /^failed: 1 of 1 worker has another one than is set here: give all processes the same SATYAPAN_SUBJECT_KEY; /,
    );
    await expect.poll(chainedWith).not.toBeNull();
    await bundle.redis.client().del("satyapan:{eko-0}:workers", "satyapan:{deepvue-0}:workers");
    const alone = await doctor(other);
    expect(alone.of("subject key")[0]).toMatch(
      /^failed: the audit log is chained with another one \(id [0-9a-f]{8}\) than is set here \(id [0-9a-f]{8}\): .*`satyapan audit rekey`/,
    );
    expect(alone.stdout).not.toContain(other.SATYAPAN_SUBJECT_KEY);
    expect((await doctor()).of("subject key")).toEqual(["ok: it is that of the others"]);
  });

  it("warns of a worker that lacks a key", async () => {
    const print = JSON.stringify({ SATYAPAN_ENCRYPTION_KEYS: "k0" });
    const now = Date.now();
    await bundle.redis.client().hset("satyapan:{eko-0}:workers", "other", `${now} ${print}`);
    const { of } = await doctor();
    expect(of("keys")).toEqual([
      expect.stringMatching(
        /^warning: 1 of \d workers? lacks the key "k1", and cannot open what it protects: give it /,
      ),
    ]);
  });
});
