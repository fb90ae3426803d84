import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { RunningCommand, satyapan } from "../support/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const INPUT = JSON.stringify({ mobile: madeUpMobile(1, "000"), csp_id: "a1" });
const SUBMIT = ["submit", "eko.mobile-otp", "--input", INPUT, "--json"];

describe("commands of one folder, without REDIS_URL", () => {
  it("meet in the same embedded Redis, which ends with the last of them", async () => {
    await using dir = await makeTempDir();
    await using simulator = await startSimulator();
    const place = { cwd: dir.path, env: { ...simulator.env, METRICS_PORT: "0" } };
    await using worker = new RunningCommand(["worker"], place);
    await worker.said("worker ready");
    // What submits needs neither credentials nor keys of its own.
    const submitted = await satyapan([...SUBMIT, "--id", "order-1", "--wait", "2m"], { cwd: dir.path });
    expect(submitted).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(submitted.stdout)).toMatchObject({ id: "order-1", state: "succeeded" });
    expect(simulator.outbox).toHaveLength(1);
    const socket = join(dir.path, ".satyapan", "redis.sock");
    expect(existsSync(socket)).toBe(true);
    expect((await worker.stop()).code).toBe(0);
    expect(existsSync(socket)).toBe(false);
  });

  it("keep what was submitted when all of them have ended, for a worker that comes later", async () => {
    await using dir = await makeTempDir();
    await using simulator = await startSimulator();
    const submitted = await satyapan([...SUBMIT, "--id", "order-1"], { cwd: dir.path });
    expect(JSON.parse(submitted.stdout)).toMatchObject({ state: "queued" });
    expect(existsSync(join(dir.path, ".satyapan", "redis.sock"))).toBe(false);

    const shown = await satyapan(["show", "order-1", "--json"], { cwd: dir.path });
    expect(shown).toMatchObject({ code: 0, stdout: submitted.stdout });

    await using worker = new RunningCommand(["worker"], {
      cwd: dir.path,
      env: { ...simulator.env, METRICS_PORT: "0" },
    });
    await worker.said('"state":"succeeded"');
    await worker.stop();

    const again = await satyapan([...SUBMIT, "--id", "order-1", "--wait", "2m"], { cwd: dir.path });
    const record = JSON.parse(again.stdout) as JobRecord;
    expect(record).toMatchObject({ id: "order-1", state: "succeeded", duplicate: true });
    expect(record.attempts).toHaveLength(1);
    expect(simulator.outbox).toHaveLength(1);
  });

  it("of another folder know nothing of it", async () => {
    await using one = await makeTempDir();
    await using other = await makeTempDir();
    await satyapan([...SUBMIT, "--id", "order-1"], { cwd: one.path });
    expect(await satyapan(["show", "order-1"], { cwd: other.path })).toMatchObject({ code: 2, stdout: "" });
  });
});
