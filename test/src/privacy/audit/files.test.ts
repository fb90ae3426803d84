import { appendFile, chmod, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { AuditFiles } from "../../../../src/privacy/audit/files.ts";
import { HEAD_KEY } from "../../../../src/privacy/audit/log.ts";
import { verifyAudit } from "../../../../src/privacy/audit/verify.ts";
import { type AuditBundle, startAuditBundle } from "../../../support/audit.ts";
import { Script } from "../../../support/script.ts";
import { unwritable } from "../../../../src/privacy/audit/unwritable.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const broken = { code: ErrorCode.AUDIT_BROKEN };

async function filesIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith(".ndjson")).toSorted();
}

/** The entries of all files, without their headers. */
async function filed(dir: string): Promise<string[]> {
  const texts = await Promise.all((await filesIn(dir)).map(async (name) => await readFile(join(dir, name), "utf8")));
  return texts.flatMap((text) => text.split("\n").slice(1, -1));
}

async function writeAll(files: AuditFiles): Promise<string> {
  let answer = await files.step();
  while (answer === "more") answer = await files.step();
  return answer;
}

/** Longer than two steps of one writer are apart, however busy the machine is; short enough to wait for its end. */
const LEASE_MS = 1_500;

function writer({ client, key }: AuditBundle, dir: string, mended: string[] = [], leaseMs = 60_000): AuditFiles {
  return new AuditFiles({ redis: client, key, dir, leaseMs, onMended: (what) => mended.push(what) });
}

/** The day on which everything from now on is chained. */
async function setDay({ client }: AuditBundle, day: string): Promise<void> {
  await client.hset(HEAD_KEY, "at", Date.parse(`${day}T12:00:00Z`));
}

describe("the audit files", () => {
  it("hold every line of the log once, by day, each begun with what it follows, for nobody else to read", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const dir = join(place.path, "audit");
    await using files = writer(bundle, dir);
    for (const [index, day] of ["2090-01-01", "2090-01-02", "2090-01-04"].entries()) {
      await setDay(bundle, day);
      await bundle.append(3, 1 + index * 3);
      await bundle.chainAll();
      if (index !== 1) expect(await writeAll(files)).toBe("idle");
    }
    expect(await filesIn(dir)).toEqual([1, 2, 4].map((day) => `audit-2090-01-0${day}.ndjson`));
    expect(await filed(dir)).toEqual(await bundle.lines());
    const [header] = (await readFile(join(dir, "audit-2090-01-02.ndjson"), "utf8")).split("\n");
    expect(JSON.parse(header ?? "")).toMatchObject({
      previous: "audit-2090-01-01.ndjson",
      first: 4,
      key: bundle.key.id,
    });
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(dir)) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
    expect((await bundle.log.head()).filed.size).toBe(1);
    await files.close();
    const verified = await verifyAudit({ keys: [bundle.key], dir, log: bundle.log });
    expect(verified).toMatchObject({ entries: 9, first: 1, last: 9, problems: [], notes: [] });
  });

  it.each([
    ["in the middle of a line", (text: string) => text.slice(0, -20)],
    ["within the first entry of a new file", (text: string) => text.slice(0, text.indexOf("\n") + 30)],
    ["after a header", (text: string) => text.slice(0, text.indexOf("\n") + 1)],
    ["within a header", (text: string) => text.slice(0, 30)],
    ["before anything was written", () => ""],
    ["by the machine, which left zeros", (text: string) => `${text}${"\0".repeat(500)}`],
  ])("go on where the last whole line ends if the writer was killed %s", async (_where, torn) => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const dir = place.path;
    await setDay(bundle, "2090-01-01");
    await bundle.append(2);
    await bundle.chainAll();
    await using first = writer(bundle, dir);
    await writeAll(first);
    await setDay(bundle, "2090-01-02");
    await bundle.append(2, 3);
    await bundle.chainAll();
    const before = await bundle.client.hgetall(HEAD_KEY);
    await writeAll(first);
    await first.close();
    await bundle.client.hset(HEAD_KEY, before); // it was killed before it could say so
    const path = join(dir, "audit-2090-01-02.ndjson");
    await writeFile(path, torn(await readFile(path, "utf8")));
    await bundle.append(1, 5);
    await bundle.chainAll();
    const mended: string[] = [];
    await using next = writer(bundle, dir, mended);
    await writeAll(next);
    expect(await filed(dir)).toEqual(await bundle.lines());
    expect(await filesIn(dir)).toHaveLength(2);
    expect(mended).toEqual([]);
    expect(await verifyAudit({ keys: [bundle.key], dir, log: bundle.log })).toMatchObject({ entries: 5, problems: [] });
  });

  it("have no gap and nothing twice though two workers share the folder and writers are killed all the time", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const args = [bundle.redis.url.replace("unix://", ""), bundle.subjectKey.open(), place.path];
    const start = (): Script => new Script("audit-worker.ts", args);
    await using scripts = new AsyncDisposableStack();
    let victim = scripts.use(start());
    let other = scripts.use(start());
    for (let round = 0; round < 8; round++) {
      await bundle.append(150, 1 + round * 150);
      // Once something of it is written, so that the blow falls in the middle of the rest.
      await expect.poll(async () => (await filed(place.path)).length, { interval: 1 }).toBeGreaterThan(round * 150);
      await victim.kill9();
      [victim, other] = [other, scripts.use(start())];
    }
    const all = 8 * 150;
    await expect.poll(async () => (await filed(place.path)).length).toBe(all);
    expect(await filed(place.path)).toEqual(await bundle.lines());
    expect(await verifyAudit({ keys: [bundle.key], dir: place.path, log: bundle.log })).toMatchObject({
      ...{ entries: all, problems: [] },
    });
  });

  it("have one writer at a time; one that lost the folder while it stood still does no harm when it goes on", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    await using slow = writer(bundle, place.path, [], LEASE_MS);
    await bundle.append(2);
    await bundle.chainAll();
    expect(await slow.step()).toBe("idle");
    await using next = writer(bundle, place.path, [], LEASE_MS);
    expect(await next.step()).toBe("away");
    await bundle.append(2, 3);
    await bundle.chainAll();
    await expect.poll(async () => await next.step()).toBe("idle");
    await bundle.append(2, 5);
    await bundle.chainAll();
    await expect.poll(async () => await slow.step(), { interval: 20 }).not.toBe("away");
    await writeAll(slow);
    expect(await filed(place.path)).toEqual(await bundle.lines());
  });

  it("are written again where somebody shortened or removed the last one, and that is said", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const mended: string[] = [];
    await using files = writer(bundle, place.path, mended);
    await bundle.append(3);
    await bundle.chainAll();
    await writeAll(files);
    const [name = ""] = await filesIn(place.path);
    const text = await readFile(join(place.path, name), "utf8");
    await truncate(join(place.path, name), text.indexOf("\n", text.indexOf("\n") + 1) + 1);
    await bundle.append(1, 4);
    await bundle.chainAll();
    expect(await writeAll(files)).toBe("idle");
    expect(await filed(place.path)).toEqual(await bundle.lines());
    await rm(join(place.path, name));
    await bundle.append(1, 5);
    await bundle.chainAll();
    expect(await writeAll(files)).toBe("idle");
    expect(await filed(place.path)).toEqual(await bundle.lines());
    expect(mended).toEqual([
      expect.stringContaining("ended with entry 1, though 3 had been written"),
      expect.stringContaining("are gone"),
    ]);
  });

  it.each<[string, (bundle: AuditBundle, path: string) => Promise<unknown>]>([
    ["another log's files", async ({ client }) => await client.hset(HEAD_KEY, "chain", "another")],
    [
      "an altered end",
      async (_, path) => await writeFile(path, (await readFile(path, "utf8")).replace("job-3", "job-9")),
    ],
    ["a line at its end that is none", async (_, path) => await appendFile(path, "surprise\n")],
    [
      "more than Redis knows, which was put back from a copy",
      async ({ client, log }) => {
        const second = (await log.after("0", 1))[0]?.lines[1];
        await client.hset(HEAD_KEY, "seq", 2, "floor_seq", 2, "floor_hash", "x");
        await client.xtrim("satyapan:{audit}:log", "MAXLEN", 0);
        await client.hset(HEAD_KEY, "hash", second?.slice(-54, -2) ?? "");
      },
    ],
    [
      "a gap to what Redis still has",
      async (bundle) => {
        await bundle.append(2, 4);
        await bundle.chainAll();
        await expect.poll(async () => await bundle.client.hdel(HEAD_KEY, "filed:x")).toBe(0);
        await bundle.client.xtrim("satyapan:{audit}:log", "MAXLEN", 1);
        await bundle.client.hset(HEAD_KEY, "floor_seq", 4, "floor_hash", "x");
      },
    ],
  ])("are left alone, with a clear error, where the folder holds %s", async (_what, harm) => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    await bundle.append(3);
    await bundle.chainAll();
    await using first = writer(bundle, place.path);
    await writeAll(first);
    await first.close();
    const path = join(place.path, (await filesIn(place.path))[0] ?? "");
    await harm(bundle, path);
    const before = await readFile(path, "utf8");
    await using next = writer(bundle, place.path);
    await expect(writeAll(next)).rejects.toMatchObject(broken);
    expect(await readFile(path, "utf8")).toBe(before);
  });

  it("say which folder cannot be written, and how to mend it, and go on once it can", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const dir = join(place.path, "audit");
    await writeFile(dir, "");
    await bundle.append(1);
    await bundle.chainAll();
    await using files = writer(bundle, dir);
    await expect(writeAll(files)).rejects.toMatchObject({
      code: ErrorCode.BAD_FILE,
      message: `the audit log's files wait: ${dir} is not a folder: take away what is there, or set AUDIT_DIR to another one (EEXIST); until then the entries stay in Redis`,
    });
    await rm(dir);
    await writeAll(files);
    expect(await filed(dir)).toEqual(await bundle.lines());
  });

  it.each([
    [
      "EACCES",
      "/audit/.id",
      /: \/audit\/\.id may not be written by the worker's user: give it to that user, or set AUDIT_DIR/,
    ],
    ["EROFS", undefined, /: \/audit is where nothing can be written: mount it/],
    ["ENOSPC", undefined, /: \/audit cannot be written, its disk is full: free some of it \(ENOSPC\)/],
  ])("say how to mend %s", (code, path, message) => {
    const refused = Object.assign(new Error(`${code}: refused`), { code, syscall: "open", ...(path && { path }) });
    expect(unwritable("/audit", refused)).toMatchObject({ message: expect.stringMatching(message) as string });
  });

  it("leave an error of the connection to Redis as it is", () => {
    const lost = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" });
    expect(unwritable("/audit", lost)).toBe(lost);
  });

  it("go on after the disk refused for a while", async () => {
    await using bundle = await startAuditBundle();
    await using place = await makeTempDir();
    const dir = join(place.path, "audit");
    await mkdir(dir);
    await writeFile(join(dir, "audit-2090-01-01.ndjson.d"), "");
    await setDay(bundle, "2090-01-01");
    await bundle.append(2);
    await bundle.chainAll();
    await using files = writer(bundle, dir);
    await mkdir(join(dir, "audit-2090-01-01.ndjson"));
    await expect(writeAll(files)).rejects.toThrow(
      `the audit log's files wait: ${dir} is, or holds, a folder where a file of the log has to be: take it away`,
    );
    await rm(join(dir, "audit-2090-01-01.ndjson"), { recursive: true });
    await chmod(dir, 0o700);
    await writeAll(files);
    expect(await filed(dir)).toEqual(await bundle.lines());
  });
});
