import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { defineAudit } from "../../../producers/command/audit.ts";
import { type CommandContext, ExitCode } from "../../../src/command/context.ts";
import { Faults } from "../../../src/command/faults.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { AuditChain } from "../../../src/privacy/audit/chain.ts";
import type { AuditEntry } from "../../../src/privacy/audit/entry.ts";
import { AuditFiles } from "../../../src/privacy/audit/files.ts";
import { assertIntact } from "../../../src/privacy/audit/intact.ts";
import { AuditKey } from "../../../src/privacy/audit/key.ts";
import { appendAudit, outboxKey } from "../../../src/privacy/audit/outbox.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { subjectKey } from "../../../src/secrets/subject-key.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { type AuditBundle, callEntry, startAuditBundle, testSubjectKey } from "../../support/audit.ts";
import { readTestEnv } from "../../support/env.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const MOBILE = "9876506780";
const AADHAAR = "234567890124";

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Place {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly auditDir?: string;
  readonly stdin?: string;
}

/** Runs `satyapan audit …` within this process. */
async function audit(args: readonly string[], { dir, env, auditDir, stdin = "" }: Place): Promise<Ran> {
  const [stdout, stderr, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const outputs = Promise.all([text(stdout), text(stderr)]);
  input.end(stdin);
  let code: number = ExitCode.DONE;
  const context: CommandContext = {
    ...{
      env: auditDir === undefined ? env : { ...env, AUDIT_DIR: auditDir },
      cwd: dir,
      stdin: input,
      stdout,
      stderr,
      now: Date.now,
      random: Math.random,
    },
    readFile: (path) => readFileSync(path, "utf8"),
    actor: "command:asha",
    machine: readTestEnv().machine,
    faults: new Faults(),
    endAtHangup: () => {},
    signal: new AbortController().signal,
    exit: (to) => (code = to),
  };
  const command = new Command("audit");
  defineAudit(command, context);
  for (const inner of [command, ...command.commands]) inner.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    await command.parseAsync(args, { from: "user" });
  } finally {
    stdout.end();
    stderr.end();
    await Promise.all([once(stdout, "close"), once(stderr, "close"), outputs]);
  }
  const [out, err] = await outputs;
  return { code, stdout: out, stderr: err };
}

function envOf({ redis, subjectKey: key }: AuditBundle): Record<string, string> {
  return {
    REDIS_URL: redis.url,
    SATYAPAN_SUBJECT_KEY: key.open(),
    SATYAPAN_ENCRYPTION_KEYS: `k1:${testSubjectKey().open()}`,
  };
}

function reveal(job: string, subject: string | null, at = new Date().toISOString()): AuditEntry {
  const about = { job, operation: "eko.mobile-otp", subject, consent: "C-1" };
  return { at, kind: "reveal", actor: "command:asha", ...about, reason: "the customer asked" };
}

describe("satyapan audit verify", () => {
  it("does not call a log intact whose folder is misspelt, holds no file of one, or is none", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    await bundle.append(3);
    await bundle.chainAll();
    const where = { dir: place.path, env: envOf(bundle) };
    await writeFile(join(place.path, "file"), "");
    for (const args of [["verify"], ["export", "--since", "1h"]]) {
      for (const name of ["nowhere", "."]) {
        await expect(audit([...args, "--dir", join(place.path, name)], where)).rejects.toMatchObject({
          code: ErrorCode.BAD_FILE,
          message: expect.stringContaining("--dir: there is no file of the audit log") as unknown,
        });
      }
      await expect(audit([...args, "--dir", join(place.path, "file")], where)).rejects.toMatchObject({
        code: ErrorCode.BAD_FILE,
        message: `the file ${join(place.path, "file")} is no folder, or lies in none`,
      });
    }
    const auditDir = join(place.path, "not-yet");
    expect((await audit(["verify"], { ...where, auditDir })).stdout).toBe(
      `note: there is no file in ${auditDir}: only the log in Redis was looked at\n3 entries (1 to 3), intact\n`,
    );
  });

  it("says how many entries are intact; of altered ones it names the place, and exits 1", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const auditDir = join(place.path, "audit");
    await bundle.append(3);
    await bundle.chainAll();
    const where = { dir: place.path, env: envOf(bundle), auditDir };
    expect(await audit(["verify"], { dir: place.path, env: envOf(bundle) })).toMatchObject({ code: 0 });
    await using files = new AuditFiles({ redis: bundle.client, key: bundle.key, dir: auditDir, onMended: () => {} });
    await files.step();
    expect(await audit(["verify"], where)).toEqual({ code: 0, stdout: "3 entries (1 to 3), intact\n", stderr: "" });
    const [name = ""] = (await readdir(auditDir)).filter((file) => file.endsWith("ndjson"));
    const path = join(auditDir, name);
    await writeFile(path, (await readFile(path, "utf8")).replace("job-2", "job-7"));
    expect(await audit(["verify"], where)).toMatchObject({
      code: 1,
      stdout: `${name}, line 3: entry 2 was altered\n3 entries (1 to 3), 1 place\n`,
    });
    const { stdout } = await audit(["verify", "--json"], where);
    expect(JSON.parse(stdout)).toMatchObject({ intact: false, problems: [{ kind: "altered", file: name, seq: 2 }] });
    await files.close();
    await bundle.redis.kill9();
    const alone = await audit(["verify"], where);
    expect(alone.stdout).toContain("note: Redis was not asked");
    await expect(audit(["verify"], { dir: place.path, env: envOf(bundle) })).rejects.toMatchObject({
      code: ErrorCode.REDIS_UNREACHABLE,
    });
  });
});

describe("satyapan audit verify where something was no entry", () => {
  it("is intact, and names how many, the first and the last, with where each was found", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const auditDir = join(place.path, "audit");
    const outbox = outboxKey(queueOf("eko"));
    const where = { dir: place.path, env: envOf(bundle) };
    await bundle.append(1);
    const first = String(await bundle.client.xadd(outbox, "*", "e", "no entry"));
    await bundle.chainAll();
    expect((await audit(["verify"], where)).stdout).toBe(
      "note: 1 entry could not be read when it was chained, and only its digest is kept: " +
        `entry 2 (Redis, line 2; eko-0/${first})\n2 entries (1 to 2), intact\n`,
    );
    await using files = new AuditFiles({ redis: bundle.client, key: bundle.key, dir: auditDir, onMended: () => {} });
    await files.step();
    const last = String(await bundle.client.xadd(outbox, "*", "e", '{"at":"cut'));
    await bundle.chainAll();
    const [name = ""] = (await readdir(auditDir)).filter((file) => file.endsWith("ndjson"));
    const ran = await audit(["verify"], { ...where, auditDir });
    expect(ran).toEqual({
      ...{ code: 0, stderr: "" },
      stdout:
        "note: 2 entries could not be read when they were chained, and only their digests are kept: " +
        `the first entry 2 (${name}, line 3; eko-0/${first}), the last entry 3 (Redis, line 1; eko-0/${last})\n` +
        "3 entries (1 to 3), intact\n",
    });
    const { stdout } = await audit(["verify", "--json"], { ...where, auditDir });
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ intact: true, problems: [] },
      replaced: { count: 2, first: { file: name, line: 3, seq: 2 }, last: { file: "Redis", seq: 3 } },
    });
  });
});

describe("satyapan audit export", () => {
  it("finds what was about a person by the number, which it neither takes as an argument nor repeats", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const { client, key, subjectKey: secret } = bundle;
    const auditDir = join(place.path, "audit");
    await using files = new AuditFiles({ redis: client, key, dir: auditDir, onMended: () => {} });
    const queue = queueOf("eko");
    await appendAudit(client, queue, [
      reveal("filed", subjectKey(secret, "mobile", MOBILE)),
      reveal("another", subjectKey(secret, "mobile", "9876500000")),
      reveal("old", subjectKey(secret, "mobile", MOBILE), "2020-01-01T00:00:00.000Z"),
    ]);
    await bundle.chainAll();
    await files.step();
    await appendAudit(client, queue, [
      { ...callEntry(4), at: new Date().toISOString() },
      reveal("by-aadhaar", subjectKey(secret, "aadhaar", AADHAAR)),
      reveal("only-in-redis", subjectKey(secret, "mobile", MOBILE)),
    ]);
    await bundle.chainAll();
    const where = { dir: place.path, env: envOf(bundle), auditDir };
    const jobs = async (args: readonly string[], stdin = ""): Promise<string[]> => {
      const { stdout, stderr } = await audit(["export", ...args], { ...where, stdin });
      expect(stdout + stderr).not.toContain(MOBILE);
      const lines = stdout.split("\n").filter((line) => line !== "");
      return lines.map((line) => (JSON.parse(line) as { job: string }).job);
    };
    expect(await jobs(["--since", "1h", "--subject", "-"], `${MOBILE}\n`)).toEqual(["filed", "only-in-redis"]);
    expect(await jobs(["--since", "2019-12-31", "--until", "2020-01-02"])).toEqual(["old"]);
    expect(await jobs(["--since", "1h", "--kind", "call"])).toEqual(["job-4"]);
    const file = join(place.path, "number");
    await writeFile(file, "2345 6789 0124");
    expect(await jobs(["--since", "1h", "--subject", `@${file}`])).toEqual(["by-aadhaar"]);
    for (const [args, stdin] of [
      [["--subject", MOBILE], ""],
      [["--subject", "-"], "12345"],
      [["--subject", "-"], ""],
    ] as const) {
      const refused = audit(["export", "--since", "1h", ...args], { ...where, stdin }).catch((error: unknown) => error);
      expect(String(await refused)).toMatch(/^SatyapanError: --subject must be/);
      expect(String(await refused)).not.toContain(MOBILE);
    }
    await expect(jobs(["--since", "yesterday"])).rejects.toMatchObject({ code: ErrorCode.BAD_USAGE });
  });
});

describe("satyapan audit rekey", () => {
  it("lets the log go on with a new key, and both keys verify the whole", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    await bundle.append(2);
    await bundle.chainAll();
    const oldKey = join(place.path, "old");
    await writeFile(oldKey, `${bundle.subjectKey.open()}\n`);
    const env = { ...envOf(bundle), SATYAPAN_SUBJECT_KEY: testSubjectKey().open() };
    const where = { dir: place.path, env };
    expect((await audit(["verify"], where)).stdout).toContain(`chained with another key (id ${bundle.key.id})`);
    expect((await audit(["rekey", "--old-key", `@${oldKey}`], where)).stdout).toContain("goes on with the key");
    await expect(audit(["rekey", "--old-key", `@${oldKey}`], where)).rejects.toMatchObject({
      code: ErrorCode.AUDIT_BROKEN,
    });
    await expect(bundle.chain.step()).rejects.toMatchObject({ code: ErrorCode.AUDIT_BROKEN });
    const key = new AuditKey(new Secret(env.SATYAPAN_SUBJECT_KEY));
    await expect(assertIntact(bundle.client, key)).resolves.toBeUndefined();
    await new AuditChain({ redis: bundle.client, key, queues: [queueOf("eko")] }).step();
    expect((await bundle.lines()).at(-1)).toContain('"event":"audit"');
    await expect(assertIntact(bundle.client, key)).resolves.toBeUndefined();
    const verified = await audit(["verify", "--old-key", `@${oldKey}`], where);
    expect(verified).toMatchObject({ code: 0, stdout: "3 entries (1 to 3), intact\n" });
  });
});
