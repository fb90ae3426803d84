import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { RunningCommand, satyapan } from "../../support/command.ts";
import { hasScript, onTerminal } from "../../support/pseudo-terminal.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { bundleEnv, startWorkerBundle } from "../../support/worker.ts";

const MAIN = fileURLToPath(new URL("../../../bin/main.ts", import.meta.url));

async function startBundle() {
  const stack = new AsyncDisposableStack();
  const bundle = stack.use(await startWorkerBundle({ env: { EKO_QUOTA: "50/1s" } }));
  const place = stack.use(await makeTempDir());
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const env = bundleEnv(bundle.simulator, bundle.redis.url);
  const command = async (...args: readonly string[]) => await satyapan(args, { cwd: place.path, env });
  const run = async (...args: readonly string[]) => await command("batch", ...args);
  const end = async () => await stack.disposeAsync();
  return { ...bundle, batches, run, place, env, satyapan: command, [Symbol.asyncDispose]: end };
}

const good = (row: number): string => madeUpMobile(row, "000");

describe("satyapan batch", () => {
  it("shows, pauses, resumes and cancels a batch, says what it is, and writes down who did it", async () => {
    await using bundle = await startBundle();
    const { batches, run } = bundle;
    const { id } = await batches.submit(batches.rows(40, good), { name: "Tuesday", tenant: "north" });
    expect((await run("list")).stdout).toContain("Tuesday");
    const shown = await run("show", "Tuesday");
    expect(shown.stdout).toMatch(/^batch {7}b[0-9a-z]{9} {2}Tuesday\nruns {8}eko\.mobile-otp\nstate {7}ready\n/);
    expect(shown.stdout).toContain("rows        40: 40 waiting");
    const json = JSON.parse((await run("show", id, "--json")).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({
      ...{ id, name: "Tuesday", operation: "eko.mobile-otp", state: "ready", reason: null, rows: 40 },
      ...{ counts: { ...noRows(), waiting: 40 }, open_challenges: 0, estimated_end: null },
    });
    const paused = await run("pause", id, "--reason", "the bank asked for it");
    expect(paused.stdout).toBe(`batch ${id} is paused (the bank asked for it): 0 of 40 rows ended; 40 waiting\n`);
    expect((await run("weight", id, "2.5")).stdout).toBe(`batch ${id} has weight 2.5\n`);
    expect((await run("weight", "north", "3", "--tenant")).stdout).toBe("tenant north has weight 3\n");
    expect((await run("resume", id)).stdout).toContain("is running");
    expect((await run("cancel", id)).stdout).toBe(`batch ${id} is cancelled: 40 of 40 rows ended; 40 cancelled\n`);
    const again = await run("resume", id);
    expect([again.code, again.stderr]).toEqual([
      2,
      `satyapan: batch ${id} is cancelled: resume means nothing to it any more\n`,
    ]);
    const entries = await bundle.redis.client().xrange("satyapan:{eko-0}:audit", "-", "+");
    const events = entries.map(([, [, text = ""]]) => (JSON.parse(text) as { event: string; batch: string }).event);
    expect(events).toEqual(["submit", "pause", "weight", "weight", "resume", "cancel"]);
  });

  it("is named where a row of it has no job now", async () => {
    await using bundle = await startBundle();
    const { batches } = bundle;
    const { id } = await batches.submit(batches.rows(2, good));
    const { code, stderr } = await bundle.satyapan("show", `${id}-2`);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `satyapan: row 2 of batch ${id} has no record of that id now: it waits to be handed over, or has ended; ` +
        `\`satyapan batch results ${id}\` tells what became of it\n`,
    );
    expect((await bundle.satyapan("show", "b123456789-2")).stderr).toMatch(/^satyapan: there is no job b123456789-2/);
  });

  it("is told from a job, by its id and by its name, to who asks for a job", async () => {
    await using bundle = await startBundle();
    const { batches } = bundle;
    const { id } = await batches.submit(batches.rows(2, good), { name: "Tuesday" });
    for (const command of [["show"], ["explain"], ["failed", "retry"]]) {
      for (const name of [id, "Tuesday"]) {
        const { code, stderr } = await bundle.satyapan(...command, name);
        expect(code).toBe(2);
        expect(stderr).toBe(
          `satyapan: ${name} is a batch, ready: see \`satyapan batch show ${id}\`; its rows are ${id}-1, ${id}-2, …\n`,
        );
      }
    }
  });

  it("is shredded by its name, and the id is said", async () => {
    await using bundle = await startBundle();
    const { batches } = bundle;
    const { id } = await batches.submit(batches.rows(2, good), { name: "Tuesday Pune" });
    const planned = await bundle.satyapan("shred", "--batch", "Tuesday Pune");
    expect(planned).toMatchObject({ code: 0, stderr: `satyapan: that is batch ${id}\n` });
    expect(planned.stdout).toMatch(/^1 data key would be destroyed; .*\nnothing was done; --yes does it\n$/);
    const shredded = await bundle.satyapan("shred", "--batch", "Tuesday Pune", "--yes");
    expect(shredded).toMatchObject({ code: 0, stdout: "1 data key destroyed\n" });
    expect((await bundle.satyapan("shred", "--batch", "Wednesday Pune")).code).toBe(2);
  });

  it("says at its end why rows did not succeed, and what to do about each", async () => {
    await using bundle = await startBundle();
    const { batches, run } = bundle;
    const { id } = await batches.submit(
      batches.rows(4, (row) => madeUpMobile(row, row === 1 ? "902" : row === 4 ? "000" : "998")),
      { stopAt: null },
    );
    await bundle.startWorker();
    const { stdout, code } = await run("watch", id);
    expect(code).toBe(1);
    const end = stdout.slice(stdout.indexOf("What became of the rows:"));
    expect(end).toMatch(
      /^.+\n {2}1 succeeded\n {2}2 rejected, 1\/463: .+\n +a final no, of the provider or on the phone: /,
    );
    expect(end).toContain(`\n  1 unknown, `);
    expect(end).toContain(`satyapan settle ${id}-ROW succeeded|rejected|resend`);
    expect(end).toContain(`\n  4 in all\n\nWhich rows: \`satyapan batch results ${id} --only rejected,unknown\`\n`);
  });

  it("watches it to its end, in lines, or with a JSON document for each change", async () => {
    await using bundle = await startBundle();
    const { batches, run } = bundle;
    const { id } = await batches.submit(batches.rows(60, good));
    await bundle.startWorker();
    const [lines, documents] = await Promise.all([run("watch", id), run("watch", id, "--json")]);
    expect([lines.code, documents.code]).toEqual([0, 0]);
    const last = lines.stdout.trimEnd().split("\n").at(-1) ?? "";
    expect(last).toMatch(/^\S+Z finished: 60 of 60 rows ended; 60 succeeded$/);
    const views = documents.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { state: string });
    expect(views.at(-1)).toMatchObject({ id, state: "finished", counts: { ...noRows(), succeeded: 60 } });
  });

  /** Redis is killed while somebody watches four rows. */
  async function watchedWithoutRedis({ batches, place, env, redis }: Awaited<ReturnType<typeof startBundle>>) {
    const { id } = await batches.submit(batches.rows(4, good));
    const watching = new RunningCommand(["batch", "watch", id], { cwd: place.path, env });
    await watching.said("ready: 0 of 4");
    await redis.kill9();
    await watching.said("looked for again until");
    return { id, watching };
  }

  it("goes on watching though Redis was killed and came back", async () => {
    await using bundle = await startBundle();
    const { place, env } = bundle;
    const { id, watching: started } = await watchedWithoutRedis(bundle);
    await using watching = started;
    await bundle.redis.restart();
    await expect.poll(async () => (await satyapan(["batch", "cancel", id], { cwd: place.path, env })).code).toBe(0);
    await bundle.startWorker();
    const { code, stdout } = await watching.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("cancelled: 4 of 4 rows ended; 4 cancelled");
  });

  it("ends at once, without Redis, at Ctrl-C", async () => {
    await using bundle = await startBundle();
    await using watching = (await watchedWithoutRedis(bundle)).watching;
    const begun = performance.now();
    watching.kill("SIGINT");
    expect((await watching.ended).code).toBe(1);
    // It would go on asking for a minute.
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  it.runIf(hasScript)("leaves the terminal as it was at Ctrl-C, and says that the batch goes on", async () => {
    await using bundle = await startBundle();
    const { batches, place, env } = bundle;
    const { id } = await batches.submit(batches.rows(40, good), { name: "Tuesday" });
    const program = onTerminal(`${process.execPath} ${MAIN} batch watch ${id}`, 50);
    await using watching = new RunningCommand([], { cwd: place.path, env, program });
    await watching.said(/ready Tuesday[^]* {5}waiting █+ 40\r\n/);
    watching.type("\u0003");
    const { code, stdout } = await watching.ended;
    expect(code).toBe(1);
    // Hidden once it was drawn on, and shown before the last words.
    expect(stdout.lastIndexOf("\u001B[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001B[?25l"));
    const words = stdout.slice(stdout.lastIndexOf("\u001B[?25h")).replaceAll("\r\n", "\n");
    expect(words).toContain(`It has not ended; see it go on with \`satyapan batch watch ${id}\`\n`);
  });

  it("says that there is no such batch, and what is wrong with a weight", async () => {
    await using bundle = await startBundle();
    const { run } = bundle;
    const none = await run("show", "b000000000");
    expect([none.code, none.stderr]).toEqual([
      2,
      "satyapan: there is no such batch: `satyapan batch list` shows all\n",
    ]);
    expect((await run("weight", "b000000000", "none")).stderr).toBe(
      'satyapan: <weight> must be a number from 0.01 to 100, not "none"\n',
    );
    expect((await run("list")).stdout).toBe("no batch\n");
  });
});
