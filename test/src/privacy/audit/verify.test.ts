import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuditFiles } from "../../../../src/privacy/audit/files.ts";
import { AuditKey } from "../../../../src/privacy/audit/key.ts";
import { HEAD_KEY } from "../../../../src/privacy/audit/log.ts";
import { type Verified, verifyAudit } from "../../../../src/privacy/audit/verify.ts";
import { type AuditBundle, rewriteLog, startAuditBundle, testSubjectKey } from "../../../support/audit.ts";
import { makeTempDir, type TempDir } from "../../../support/temp-dir.ts";

const [FIRST, SECOND, THIRD] = [1, 2, 3].map((day) => `audit-2090-01-0${day}.ndjson`) as [string, string, string];

/** Five entries in each of three files; in each, line n + 1 is the day's n-th entry. */
let bundle: AuditBundle;
let place: TempDir;
let original: ReadonlyMap<string, string>;

beforeAll(async () => {
  bundle = await startAuditBundle();
  place = await makeTempDir();
  const { client, key } = bundle;
  const dir = join(place.path, "original");
  const files = new AuditFiles({ redis: client, key, dir, onMended: () => {} });
  for (const day of [1, 2, 3]) {
    await client.hset(HEAD_KEY, "at", Date.parse(`2090-01-0${day}T12:00:00Z`));
    await bundle.append(5, 1 + (day - 1) * 5);
    await bundle.chainAll();
    await files.step();
  }
  await files.close();
  const names = await readdir(dir);
  original = new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, string]> => [name, await readFile(join(dir, name), "utf8")]),
    ),
  );
});

afterAll(async () => {
  await bundle[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

interface Changed {
  readonly [file: string]: ((lines: string[]) => void) | null;
}

/** Verifies a copy of the folder in which lines of some files were changed, and others (null) removed. */
async function verifyChanged(
  changed: Changed,
  options: { readonly redis?: boolean; readonly keys?: readonly AuditKey[]; readonly oldest?: string } = {},
): Promise<Verified> {
  const dir = join(place.path, randomUUID());
  await mkdir(dir);
  for (const [name, text] of original) {
    const change = changed[name];
    if (change === null) continue;
    const lines = text.split("\n");
    change?.(lines);
    await writeFile(join(dir, name), lines.join("\n"));
  }
  const { redis = false, keys = [bundle.key], oldest } = options;
  const verified = await verifyAudit({ keys, dir, log: redis ? bundle.log : null, oldest });
  await rm(dir, { recursive: true });
  return verified;
}

describe("verify", () => {
  it("finds nothing in files that nobody changed, with Redis and without", async () => {
    expect(await verifyChanged({}, { redis: true })).toEqual({
      ...{ entries: 15, first: 1, last: 15, problems: [], replaced: null, notes: [] },
    });
    const { problems, notes } = await verifyChanged({});
    expect(problems).toEqual([]);
    expect(notes).toEqual(["Redis was not asked: a missing end would not be noticed"]);
  });

  it("finds every single flipped byte of an entry and of a header, and names file, line and entry", async () => {
    const lines = (original.get(SECOND) ?? "").split("\n");
    for (const line of [1, 3]) {
      for (let at = 0; at < (lines[line - 1]?.length ?? 0); at++) {
        const { problems } = await verifyChanged({
          [SECOND]: (all) => {
            const text = all[line - 1] ?? "";
            all[line - 1] = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
          },
        });
        expect(problems[0], `byte ${at} of line ${line}`).toMatchObject({ file: SECOND, line });
        if (line === 3 && problems[0]?.kind === "altered") expect(problems[0].seq).toBe(7);
      }
    }
  });

  it.each<[string, Changed, object]>([
    [
      "an altered entry, and only that",
      { [SECOND]: (lines) => (lines[2] = (lines[2] ?? "").replace("succeeded", "rejected")) },
      { kind: "altered", file: SECOND, line: 3, seq: 7 },
    ],
    [
      "a removed entry",
      { [SECOND]: (lines) => lines.splice(2, 1) },
      { kind: "missing", file: SECOND, line: 3, seq: 7 },
    ],
    [
      "two removed entries",
      { [FIRST]: (lines) => lines.splice(1, 2) },
      { kind: "missing", file: FIRST, line: 2, seq: 1 },
    ],
    [
      "an entry inserted as a copy",
      { [SECOND]: (lines) => lines.splice(3, 0, lines[1] ?? "") },
      { kind: "inserted", file: SECOND, line: 4, seq: 6 },
    ],
    [
      "an entry inserted with the next number",
      { [SECOND]: (lines) => lines.splice(3, 0, (lines[3] ?? "").replace("job-8", "job-80")) },
      { kind: "inserted", file: SECOND, line: 4, seq: 8 },
    ],
    [
      "two swapped entries",
      { [SECOND]: (lines) => lines.splice(2, 2, lines[3] ?? "", lines[2] ?? "") },
      { kind: "swapped", file: SECOND, line: 3, seq: 8 },
    ],
    ["a missing file", { [SECOND]: null }, { kind: "missing-file", file: SECOND }],
    ["a missing first file", { [FIRST]: null }, { kind: "missing-file", file: FIRST }],
    [
      "a shortened file, by the next one",
      { [SECOND]: (lines) => lines.splice(4, 2) },
      { kind: "truncated", file: SECOND },
    ],
    [
      "a file without its header",
      { [SECOND]: (lines) => lines.splice(0, 1) },
      { kind: "altered", file: SECOND, line: 1 },
    ],
  ])("finds %s", async (_what, changed, expected) => {
    const { problems } = await verifyChanged(changed);
    expect(problems[0]).toMatchObject(expected);
    expect(problems).toHaveLength(1);
  });

  it("finds a line end that was taken away", async () => {
    const { problems } = await verifyChanged({
      [SECOND]: (lines) => lines.splice(2, 2, `${lines[2] ?? ""}${lines[3] ?? ""}`),
    });
    expect(problems[0]).toMatchObject({ kind: "altered", file: SECOND, line: 3 });
  });

  it.each<[string, Changed, object]>([
    ["a shortened last file", { [THIRD]: (lines) => lines.splice(4, 2) }, { kind: "truncated", file: THIRD, seq: 14 }],
    ["a missing last file", { [THIRD]: null }, { kind: "truncated", file: SECOND, seq: 11 }],
    ["all files missing", { [FIRST]: null, [SECOND]: null, [THIRD]: null }, { kind: "truncated", seq: 1 }],
  ])("finds %s, by what Redis knows", async (_what, changed, expected) => {
    const { problems } = await verifyChanged({ ...changed, ".id": () => {} }, { redis: true });
    expect(problems[0]).toMatchObject(expected);
  });

  it("accepts that old files were removed on purpose where it is told which is the oldest", async () => {
    expect(await verifyChanged({ [FIRST]: null }, { oldest: SECOND })).toMatchObject({
      entries: 10,
      first: 6,
      problems: [],
    });
    const { problems } = await verifyChanged({ [FIRST]: null, [SECOND]: null }, { oldest: SECOND });
    expect(problems[0]).toMatchObject({ kind: "missing-file", file: SECOND });
  });

  it("says that it was chained with another key, and needs both after it was changed", async () => {
    const other = new AuditKey(testSubjectKey());
    const { problems } = await verifyChanged({}, { keys: [other] });
    expect(problems[0]).toMatchObject({ kind: "other-key", file: FIRST, line: 1 });
    expect(problems[0]?.message).toContain(bundle.key.id);
    expect((await verifyChanged({}, { keys: [other, bundle.key] })).problems).toEqual([]);
  });

  it("says that a last line is not whole, which is no fault while files are written", async () => {
    const cut = { [THIRD]: (lines: string[]) => lines.splice(5, 2, (lines[5] ?? "").slice(0, 50)) };
    const { problems, notes } = await verifyChanged(cut);
    expect(problems).toEqual([]);
    expect(notes[0]).toContain(`the last line of ${THIRD} is not whole`);
  });
});

describe("verify of the log in Redis", () => {
  it("goes on where the files end, and without a folder checks all of it", async () => {
    await using own = await startAuditBundle();
    await using dir = await makeTempDir();
    await own.append(3);
    await own.chainAll();
    await using files = new AuditFiles({ redis: own.client, key: own.key, dir: dir.path, onMended: () => {} });
    await files.step();
    await own.append(600, 4);
    await own.chainAll();
    const options = { keys: [own.key], log: own.log };
    expect(await verifyAudit({ ...options, dir: dir.path })).toMatchObject({ entries: 603, problems: [] });
    expect(await verifyAudit({ ...options, dir: null })).toMatchObject({ entries: 603, problems: [] });
    await rewriteLog(own.client, (line, seq) => (seq === 10 ? null : line));
    expect((await verifyAudit({ ...options, dir: null })).problems).toMatchObject([{ kind: "missing", seq: 10 }]);
    await rewriteLog(own.client, (line, seq) => (seq === 603 ? null : line));
    expect((await verifyAudit({ ...options, dir: dir.path })).problems.at(-1)).toMatchObject({
      ...{ kind: "truncated", file: "Redis", seq: 603 },
    });
    await own.client.hset(HEAD_KEY, "chain", "another");
    expect((await verifyAudit({ ...options, dir: dir.path })).problems).toMatchObject([{ kind: "other-log" }]);
  });
});
