import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import type { BatchView } from "../../../src/batches/batch.ts";
import { testKeys } from "../../support/client.ts";
import { RunningCommand, satyapan } from "../../support/command.ts";
import { keysIn } from "../../support/redis-content.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { bundleEnv, startWorkerBundle } from "../../support/worker.ts";

/** A Redis with a simulator, and a folder in which commands run. */
async function startBundle() {
  const stack = new AsyncDisposableStack();
  const keys = testKeys();
  const bundle = stack.use(await startWorkerBundle({ env: keys }));
  const place = stack.use(await makeTempDir());
  const env = { ...bundleEnv(bundle.simulator, bundle.redis.url), ...keys };
  const run = async (...args: readonly string[]) => await satyapan(["batch", ...args], { cwd: place.path, env });
  const write = (name: string, ...rows: readonly string[]): void => {
    writeFileSync(join(place.path, name), ["Form No,Mobile No,csp_id,Remark", ...rows, ""].join("\n"));
  };
  return { ...bundle, place, env, run, write, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

const ARGS = ["--operation", "eko.mobile-otp", "--ref", "Form No"];
const row = (index: number, remark = ""): string => `F-${index},${madeUpMobile(index)},a1,${remark}`;
const batchKeys = async (bundle: Awaited<ReturnType<typeof startBundle>>): Promise<string[]> =>
  (await keysIn(bundle.redis)).filter((key) => key.includes(":batch"));

describe("satyapan batch submit", () => {
  it("runs a file as one batch, once, and its results are the file's own columns, masked and safe", async () => {
    await using bundle = await startBundle();
    const { run, write } = bundle;
    write("senders.csv", row(1, "=HYPERLINK(1)"), row(2, `see ${madeUpMobile(9)}`), row(1), row(3, "+plus"));
    const first = await run("submit", "senders.csv", ...ARGS, "--name", "Tuesday", "--json");
    const view = JSON.parse(first.stdout) as BatchView;
    expect(view).toMatchObject({ name: "Tuesday", operation: "eko.mobile-otp", rows: 4, counts: { duplicate: 1 } });
    const twice = {
      row: 3,
      ref: "F-1",
      of: { kind: "row", batch: view.id, row: 1 },
      reason: "the same person as row 1",
    };
    expect(view).toMatchObject({ duplicates: [twice], bad_file: null });
    const again = await run("submit", "senders.csv", ...ARGS);
    expect(again.stdout).toMatch(
      new RegExp(`^The same rows were submitted before, as this batch:\n\nbatch +${view.id} `),
    );
    expect(again.stdout).toContain(
      [
        "Not called, because another row or an onboarding has their person: 1 row",
        "  row 3 (F-1): the same person as row 1",
        `  all of them: \`satyapan batch results ${view.id} --only duplicate\``,
      ].join("\n"),
    );
    await bundle.startWorker();
    expect((await run("watch", "Tuesday")).code).toBe(0);
    const { stdout } = await run("results", view.id);
    expect(stdout).toMatch(/^\uFEFFMobile No,csp_id,Remark,row,ref,state,code,reason,what_to_do,attempts,/);
    const lines = stdout.trimEnd().split("\r\n").slice(1);
    const masked = (index: number): string => `XXXXXX${madeUpMobile(index).slice(6)},********`;
    expect(lines[0]).toMatch(new RegExp(`^${masked(1).replaceAll("*", "\\*")},'=HYPERLINK\\(1\\),1,F-1,succeeded,`));
    expect(lines[1]).toContain(`${masked(2)},********,2,F-2,succeeded,`);
    expect(lines[2]).toContain(`${masked(1)},,3,F-1,duplicate,,the same person as row 1,`);
    expect(lines[3]).toContain(`${masked(3)},'+plus,4,F-3,succeeded,`);
    for (const index of [1, 2, 3, 9]) expect(stdout).not.toContain(madeUpMobile(index));
    const ndjson = (await run("results", view.id, "--format", "ndjson", "--only", "duplicate,failed")).stdout;
    expect(JSON.parse(ndjson)).toMatchObject({ row: 3, ref: "F-1", state: "duplicate", columns: { Remark: "" } });
  });

  it("refuses a file with bad rows, and with --skip-bad leaves them beside it, ready to mend, and nothing else lost", async () => {
    await using bundle = await startBundle();
    const { run, write, place } = bundle;
    write("senders.csv", row(1), `F-2,+91${madeUpMobile(2)},a1,"two, ""lines""\nof text"`, row(3));
    const refused = await run("submit", "senders.csv", ...ARGS);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("senders.csv: 1 of 3 rows are bad, so nothing was accepted");
    expect(refused.stderr).not.toContain(madeUpMobile(2));
    expect(await batchKeys(bundle)).toEqual([]);
    writeFileSync(join(place.path, "senders.bad.csv"), "mine");
    const { stdout, stderr, code } = await run("submit", "senders.csv", ...ARGS, "--skip-bad", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 3, counts: { waiting: 2, skipped: 1 } });
    expect(stderr).toContain(
      "satyapan: the bad rows (1) are in senders.bad-2.csv: mend them there, and submit that file\n",
    );
    expect(readFileSync(join(place.path, "senders.bad.csv"), "utf8")).toBe("mine");
    const bad = join(place.path, "senders.bad-2.csv");
    expect(statSync(bad).mode & 0o777).toBe(0o600);
    writeFileSync(bad, readFileSync(bad, "utf8").replace("+91", ""));
    const mended = await run("submit", "senders.bad-2.csv", ...ARGS, "--json");
    expect(JSON.parse(mended.stdout)).toMatchObject({ rows: 1, counts: { waiting: 1 } });
  });

  it("accepts nothing, and leaves nothing, where the bad rows cannot be written", async () => {
    await using bundle = await startBundle();
    const { env, place } = bundle;
    const text = `Mobile No,csp_id\n1,a1\n${madeUpMobile(1)},a1\n`;
    const args = ["batch", "submit", "-", "--operation", "eko.mobile-otp", "--skip-bad"];
    const ran = await satyapan(args, { cwd: "/proc", env, stdin: text });
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain("the bad rows cannot be written to stdin.bad.csv");
    expect(await batchKeys(bundle)).toEqual([]);
    expect(readdirSync(place.path)).toEqual([]);
  });

  it("accepts nothing after Ctrl-C, wherever it comes", async () => {
    await using bundle = await startBundle();
    const { env, place, write } = bundle;
    write("many.csv", ...Array.from({ length: 30_000 }, (_, index) => row(index)));
    for (const afterMs of [400, 900, 1_400]) {
      await using running = new RunningCommand(["batch", "submit", "many.csv", ...ARGS], { cwd: place.path, env });
      setTimeout(() => running.kill("SIGINT"), afterMs);
      const { code, stdout } = await running.ended;
      const list = JSON.parse((await bundle.run("list", "--json")).stdout) as BatchView[];
      if (code === 0) expect(list).toHaveLength(1);
      else expect({ list, stdout }).toEqual({ list: [], stdout: "" });
    }
  });

  it("says what it was not given, before Redis is asked", async () => {
    await using bundle = await startBundle();
    bundle.write("senders.csv", row(1));
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [["--flow", "eko.mobil"], "unknown flow eko.mobil: did you mean eko.mobile?"],
      [[...ARGS, "--stop-at", "0.3"], "--stop-at takes 1% to 100%, or never"],
      [[...ARGS, "--weight", "0"], "weight: must be a number from 0.01 to 100"],
    ];
    for (const [args, message] of wrong) {
      const ran = await bundle.run("submit", "senders.csv", ...args);
      expect(ran).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(message) as string });
    }
  });
});

describe("satyapan batch results", () => {
  it("goes into a new file of mode 0600, overwrites none, and leaves none where the disk is full", async () => {
    await using bundle = await startBundle();
    const { run, write, place, env } = bundle;
    write("senders.csv", row(1), row(2));
    const { id } = JSON.parse((await run("submit", "senders.csv", ...ARGS, "--json")).stdout) as BatchView;
    expect((await run("results", id, "--out", "results.csv")).code).toBe(0);
    const path = join(place.path, "results.csv");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).toContain(",1,F-1,waiting,,,wait: it has not ended,0,");
    const again = await run("results", id, "--out", "results.csv");
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("is there already") as string });
    const full = await run("results", id, "--out", "/dev/full");
    expect(full).toMatchObject({ code: 2, stderr: expect.stringContaining("the disk is full") as string });
    const shell = ["-c", 'exec "$0" "$@" > /dev/full', process.execPath, "bin/main.ts"];
    const piped = await satyapan(["batch", "results", id], { cwd: place.path, env, program: ["sh", ...rooted(shell)] });
    expect([piped.code, piped.stderr]).toEqual([
      1,
      "satyapan: standard output cannot be written whole: the disk is full\n",
    ]);
    expect((await run("results", id, "--only", "lost")).stderr).toContain("--only takes states of rows");
  });

  it("ends without a word where nobody reads them any more", async () => {
    await using bundle = await startBundle();
    const { run, write, place, env } = bundle;
    write("many.csv", ...Array.from({ length: 8_000 }, (_, index) => row(index)));
    const { id } = JSON.parse((await run("submit", "many.csv", ...ARGS, "--json")).stdout) as BatchView;
    await using reading = new RunningCommand(["batch", "results", id], { cwd: place.path, env });
    await reading.said("Mobile No");
    reading.closeOutput();
    expect(await reading.ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("takes its results back once they are mended, tells what is not, and refuses what is half mended", async () => {
    await using bundle = await startBundle();
    const { run, write, place } = bundle;
    const rejected = (index: number): string => `F-${index},${madeUpMobile(index, "998")},a1,=1+1`;
    write("senders.csv", row(1), rejected(2), rejected(3), rejected(4));
    const { id } = JSON.parse((await run("submit", "senders.csv", ...ARGS, "--json")).stdout) as BatchView;
    await bundle.startWorker();
    await run("watch", id);
    await run("results", id, "--only", "rejected,failed,expired", "--out", "mend.csv");
    const file = join(place.path, "mend.csv");
    const results = readFileSync(file, "utf8");
    const mend = (...rows: readonly number[]): void => {
      const mended = results.split("\r\n").map((line) => {
        const at = rows.find((one) => line.includes(`,F-${one},`));
        return at === undefined ? line : line.replace(/^[^,]*,\*{8},/, `${madeUpMobile(100 + at)},a1,`);
      });
      writeFileSync(file, mended.join("\r\n"));
    };
    const submit = async (...args: readonly string[]) => await run("submit", "mend.csv", "--repairs", id, ...args);
    const untouched = await submit();
    expect([untouched.code, untouched.stderr]).toEqual([
      2,
      "satyapan: mend.csv: none of 3 rows is mended, everything is as it was (lines 2, 3, 4)\n",
    ]);
    writeFileSync(file, results.replace(/\r\n[^,]*,/, `\r\n${madeUpMobile(102)},`));
    const half = await submit();
    expect(half.code).toBe(2);
    expect(half.stderr).toContain("1 mended row is still bad, so none was taken back");
    expect(half.stderr).toContain("csp_id: is still masked");
    expect(half.stderr).not.toContain(madeUpMobile(102));
    mend(2, 4);
    const { stdout, code } = await submit();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 rows are taken back\n1 row is not mended, everything as it was: line 3\n/);
    expect((await run("watch", id)).stdout).toContain("3 succeeded, 1 rejected");
    expect(JSON.parse((await submit("--json")).stdout)).toMatchObject({
      id,
      duplicate: true,
      mended: 0,
      not_mended: 1,
    });
    const after = (await run("results", id)).stdout;
    expect(after).toContain(`XXXXXX${madeUpMobile(102).slice(6)},********,'=1+1,2,F-2,succeeded,`);
    const usage = await submit("--operation", "eko.mobile-otp");
    expect([usage.code, usage.stderr]).toMatchObject([2, expect.stringContaining("--operation") as string]);
    const foreign = await run("submit", "senders.csv", "--repairs", id);
    expect([foreign.code, foreign.stderr]).toMatchObject([2, expect.stringContaining("is no results file") as string]);
  });
});

function rooted(args: readonly string[]): string[] {
  return args.map((arg) => (arg === "bin/main.ts" ? join(import.meta.dirname, "../../../bin/main.ts") : arg));
}
