import { readFileSync } from "node:fs";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { defineBatchCall } from "../../../producers/command/batch-call.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { Faults } from "../../../src/command/faults.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { testKeys } from "../../support/client.ts";
import { RunningCommand, satyapan } from "../../support/command.ts";
import { readTestEnv } from "../../support/env.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { FakeScreen, FakeTerminal } from "../../support/fake-terminal.ts";
import { bundleEnv, startWorkerBundle } from "../../support/worker.ts";

const mobileOf = (row: number): string => madeUpMobile(row, "000");

async function startBundle(count: number) {
  const stack = new AsyncDisposableStack();
  const keys = testKeys();
  const bundle = stack.use(await startWorkerBundle({ env: keys }));
  const place = stack.use(await makeTempDir());
  const env = { ...bundleEnv(bundle.simulator, bundle.redis.url), ...keys };
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const rows = batches.flowRows("eko.mobile", count, (row) => ({ mobile: mobileOf(row), csp_id: "9000000001" }));
  const { id } = await batches.submit(rows, { flow: "eko.mobile", stopAt: null });
  const codes = async (): Promise<string[]> =>
    await Promise.all(
      rows.map(async ({ row }) => (await bundle.simulator.waitForOtp(mobileOf(row), { timeoutMs: 60_000 })).otp),
    );
  const options = { cwd: place.path, env };
  return { ...bundle, batches, id, codes, options, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

describe("satyapan batch call", () => {
  it("keeps its seat while Redis is away, and takes the code that is said again, once", async () => {
    await using bundle = await startBundle(1);
    const { id, batches, codes, options, redis, simulator } = bundle;
    await bundle.startWorker();
    const [otp = ""] = await codes();
    await expect.poll(async () => (await batches.show(id)).counts.awaiting_otp).toBe(1);
    await using call = new RunningCommand(["batch", "call", id, "--json"], options);
    await call.said('"event":"sender"');
    await redis.kill9();
    call.type(`${otp}\n`);
    await call.said("say it again");
    await redis.restart();
    await expect.poll(async () => (await batches.show(id).catch(() => null))?.counts.awaiting_otp).toBe(1);
    // Its own connection may come back a little later than ours.
    for (let refused = 1, said = ""; said !== '"verdict":"right"'; refused += 1) {
      call.type(`${otp}\n`);
      said = await call.said(new RegExp(`"verdict":"right"|(?:say it again[^]*){${refused + 1}}`));
    }
    const { code } = await call.ended;
    expect(code).toBe(0);
    expect((await batches.show(id)).counts.succeeded).toBe(1);
    expect(simulator.requests).toHaveLength(2);
  });

  it("hands over one sender after the other, and takes codes and words, line by line", async () => {
    await using bundle = await startBundle(4);
    const { id, batches, codes, options } = bundle;
    await bundle.startWorker();
    const all = await codes();
    await expect.poll(async () => (await batches.show(id)).counts.awaiting_otp).toBe(4);
    // Whoever is handed first is row 1: its code was sent first.
    const stdin = ["what?", all[0], "wrong number", "refused", `${all[3]?.slice(0, 3)} ${all[3]?.slice(3)}`, ""];
    const { stdout, code } = await satyapan(["batch", "call", id, "--operator", "asha"], {
      ...options,
      stdin: stdin.join("\n"),
    });
    expect(code).toBe(0);
    const masked = (row: number): string => `XXXXXX${mobileOf(row).slice(6)}`;
    expect(stdout).toMatch(new RegExp(`\\nref-1   ${masked(1)}   row 1   9:\\d\\d left, 3 tries\\n`));
    expect(stdout).toContain("ref-1: type the code, or later, wrong number, refused, quit\nref-1: the code is right\n");
    expect(stdout).toContain("ref-2: ended: wrong number\n");
    expect(stdout).toContain("ref-3: ended: refused\n");
    expect(stdout).toContain("ref-4: the code is right\n");
    expect(stdout).toContain(`batch ${id} is finished_with_errors: 4 of 4 rows ended; 2 succeeded, 2 rejected`);
    for (const row of [1, 2, 3, 4]) expect(stdout).not.toContain(mobileOf(row));
    for (const one of all) expect(stdout).not.toContain(one);
    expect((await batches.show(id)).counts).toEqual({ ...noRows(), succeeded: 2, rejected: 2 });
  });

  it("gives its sender to another operator when it quits, and half a minute after it was killed", async () => {
    await using bundle = await startBundle(1);
    const { id, batches, codes, options } = bundle;
    await bundle.startWorker();
    const [code = ""] = await codes();
    const first = await satyapan(["batch", "call", id, "--json"], { ...options, stdin: "quit\n" });
    const events = first.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.at(-1)).toMatchObject({ event: "sender", row: 1, ref: "ref-1", tries_left: 3 });
    await using killed = new RunningCommand(["batch", "call", id], options);
    await killed.said("ref-1");
    killed.kill("SIGKILL");
    const killedAt = Date.now();
    const second = await satyapan(["batch", "call", id], { ...options, stdin: `${code}\n` });
    expect(second.stdout).toContain("nobody to talk to: 1 code awaited");
    expect(second.stdout).toContain("ref-1: the code is right\n");
    expect(Date.now() - killedAt).toBeGreaterThan(15_000);
    expect((await batches.ended(id)).counts.succeeded).toBe(1);
  });

  it("shows no digit of what is typed at a terminal, and gives its sender back at once at Ctrl-C", async () => {
    await using bundle = await startBundle(2);
    const { id, batches, codes, options } = bundle;
    await bundle.startWorker();
    const all = await codes();
    await expect.poll(async () => (await batches.show(id)).counts.awaiting_otp).toBe(2);
    const [terminal, screen] = [new FakeTerminal(), new FakeScreen()];
    const command = new Command("call").exitOverride();
    defineBatchCall(command, {
      ...{ env: options.env, cwd: options.cwd, stdin: terminal, stdout: screen, stderr: screen, now: Date.now },
      ...{ random: Math.random, readFile: (path) => readFileSync(path, "utf8"), actor: "command:asha" },
      ...{ machine: readTestEnv().machine, faults: new Faults(), signal: new AbortController().signal },
      ...{ endAtHangup: () => {}, exit: () => {} },
    });
    const ended = command.parseAsync([id], { from: "user" });
    await expect.poll(() => screen.shown).toMatch(/ref-1 .*\n.*refused or quit: $/s);
    terminal.type("000000\r");
    await expect
      .poll(() => screen.shown)
      .toMatch(/ref-1: the code is wrong; 2 more may be tried\n.*refused or quit: $/s);
    terminal.type(`9\x7F${all[0] ?? ""}\r`);
    await expect.poll(() => screen.shown).toMatch(/ref-2 .*\n.*refused or quit: $/s);
    expect(screen.shown).toContain(`quit: •\b \b${"•".repeat(all[0]?.length ?? 0)}\nref-1: the code is right\n`);
    terminal.type("12\x03");
    await ended;
    expect(terminal.isRaw).toBe(false);
    for (const code of all) expect(screen.shown).not.toContain(code);
    const other = await satyapan(["batch", "call", id], { ...options, stdin: `${all[1] ?? ""}\n`, timeoutMs: 60_000 });
    expect(other.stdout).toContain("ref-2: the code is right\n");
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("gives its sender back at once at %s", async (signal) => {
    await using bundle = await startBundle(1);
    const { id, codes, options } = bundle;
    await bundle.startWorker();
    const [code = ""] = await codes();
    await using seat = new RunningCommand(["batch", "call", id], options);
    await seat.said("ref-1");
    seat.kill(signal);
    expect(await seat.ended).toMatchObject({ code: 0, stderr: "" });
    // A seat that says nothing more has its sender for half a minute.
    const other = await satyapan(["batch", "call", id], { ...options, stdin: `${code}\n`, timeoutMs: 60_000 });
    expect(other.stdout).toContain("ref-1: the code is right\n");
  });
});
