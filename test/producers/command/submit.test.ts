import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOperation } from "../../../src/operations/catalogue.ts";
import type { JobRecord } from "../../../src/records/record.ts";
import { type ClientBundle, MOBILE_INPUT, startClientBundle, testKeys } from "../../support/client.ts";
import { type Ran, RunningCommand, satyapan } from "../../support/command.ts";
import { startWorkerBundle } from "../../support/worker.ts";
import type { TempDir } from "../../support/temp-dir.ts";
import { expectRefusal, folderOfRows, GOOD, MOBILE } from "./submit-files.ts";
import { Lived } from "../../support/lived.ts";

let dir: TempDir;
beforeAll(async () => {
  dir = await folderOfRows();
});
afterAll(async () => await dir[Symbol.asyncDispose]());

/** The command is a process of its own, which has to start first. */
async function subscribed({ redis }: ClientBundle): Promise<void> {
  const client = redis.client();
  const count = async () => await client.pubsub("NUMSUB", "satyapan:settled");
  await expect.poll(count).toContain(1);
}

describe("satyapan submit", () => {
  let bundle: ClientBundle;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const keys = testKeys();
    bundle = await startClientBundle(keys);
    env = { ...keys, REDIS_URL: bundle.redis.url };
  });
  afterAll(async () => await bundle[Symbol.asyncDispose]());
  const submit = async (...args: string[]): Promise<Ran> => await satyapan(["submit", ...args], { cwd: dir.path, env });

  it("prints the record; with --json that one document and nothing else; a second time as a duplicate", async () => {
    const args = ["eko.mobile-otp", "--input", GOOD, "--id", "order-1", "--lane", "bulk", "--expires", "10m"];
    const first = await submit(...args, "--json");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout.trimEnd()).not.toContain("\n");
    const record = JSON.parse(first.stdout) as JobRecord;
    expect(record).toMatchObject({ id: "order-1", lane: "bulk", state: "queued" });
    expect(record).toEqual(await bundle.client.get("order-1"));
    const again = await submit(...args);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toMatch(/^job +order-1 \(was there already\)\noperation +eko\.mobile-otp\n/);
    const shown = await satyapan(["show", "order-1", "--json"], { cwd: dir.path, env });
    expect(JSON.parse(shown.stdout)).toEqual(record);
    const other = await submit("eko.mobile-otp", "--input", JSON.stringify(MOBILE_INPUT), "--id", "order-1");
    expect(expectRefusal(dir, other, 2)).toBe(
      "id: order-1 names a job with another operation or input; choose another id",
    );
    for (const { stdout } of [first, again, shown]) expect(stdout).not.toContain(MOBILE);
  });

  it("waits no longer than it is told to, then prints how the job stands and says how it goes on", async () => {
    const ran = await submit("eko.mobile-otp", "--input", GOOD, "--id", "order-2", "--wait", "100ms", "--json");
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ id: "order-2", state: "queued" });
    expect(ran.stderr).toBe(
      "satyapan: job order-2 is still queued and goes on without this command: see `satyapan show order-2`. No worker is running for this provider: start one that has its settings with `satyapan worker`.\n",
    );
  });

  it("asks for a worker of this provider where only the other one's runs", async () => {
    await using workers = await startWorkerBundle();
    await workers.startWorker({ deepvue: null });
    const operation = findOperation("deepvue.aadhaar-otp");
    const args = ["submit", operation.name, "--input", JSON.stringify(operation.example), "--wait", "100ms"];
    const keys = testKeys();
    const ran = await satyapan(args, { cwd: dir.path, env: { ...keys, REDIS_URL: workers.redis.url } });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(
      /`\. No worker is running for this provider: start one that has its settings with `satyapan worker`\.\n$/,
    );
  });

  it("waits for the end, tells by its exit code how it was, and ends with it at once", async () => {
    for (const [state, code] of [
      ["succeeded", 0],
      ["rejected", 1],
    ] as const) {
      const id = `order-${state}`;
      const args = ["submit", "eko.mobile-otp", "--input", GOOD, "--id", id, "--wait", "2m", "--json"];
      await using command = new RunningCommand(args, { cwd: dir.path, env });
      await subscribed(bundle);
      await expect.poll(async () => (await bundle.client.get(id))?.state).toBe("queued");
      await bundle.begin(id, "eko");
      using settled = new Lived();
      await bundle.finish(id, "eko", state);
      const ran = await command.ended;
      // Heard, not looked up: it looks every ten seconds.
      expect(settled.ms).toBeLessThan(7_000);
      expect(ran).toMatchObject({ code, stderr: "" });
      expect(JSON.parse(ran.stdout)).toMatchObject({ id, state });
    }
  });

  it("ends its waiting at Ctrl-C, and prints how the job stands", async () => {
    const args = ["submit", "eko.mobile-otp", "--input", GOOD, "--id", "order-3", "--wait", "10m"];
    await using command = new RunningCommand(args, { cwd: dir.path, env });
    await subscribed(bundle);
    // As a terminal and npx do it: the same Ctrl-C comes twice.
    command.kill("SIGINT");
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^state +queued$/m);
    expect(stderr).toContain("job order-3 is still queued and goes on without this command");
  });

  it("reads --input from a file or standard input", async () => {
    mkdirSync(join(dir.path, "inputs"), { recursive: true });
    writeFileSync(join(dir.path, "inputs", "one.json"), `${GOOD}\n`);
    const fromFile = await submit("eko.mobile-otp", "--input", "@inputs/one.json", "--id", "same", "--json");
    expect(fromFile.code).toBe(0);
    const options = { cwd: dir.path, env, stdin: GOOD };
    const piped = await satyapan(["submit", "eko.mobile-otp", "--input", "-", "--id", "same", "--json"], options);
    expect(JSON.parse(piped.stdout)).toEqual({ ...(JSON.parse(fromFile.stdout) as object), duplicate: true });
  });
});
