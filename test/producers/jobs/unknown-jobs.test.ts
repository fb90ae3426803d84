import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { type ClientBundle, startClientBundle, testKeys } from "../../support/client.ts";
import { RunningCommand } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const TIMEOUT = "no reply in 30s";
const RESET = "the connection was lost";

/** A job that became unknown, as a worker leaves it behind. */
async function lose(bundle: ClientBundle, id: string, nth: number, reason: string, ago = 0): Promise<void> {
  await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(nth, "000"), csp_id: "agent1" }, { id });
  await bundle.begin(id, "eko", `ref-${id}`);
  await bundle.finish(id, "eko", "unknown", { reason, at: Date.now() - ago });
}

async function listed({ client }: ClientBundle, filter = {}): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of client.unknown.list(filter)) ids.push(id);
  return ids;
}

describe("the unknown jobs", () => {
  it("are listed oldest first, by operation, time and reason, until they are settled", async () => {
    await using bundle = await startClientBundle();
    await lose(bundle, "new", 1, TIMEOUT);
    await lose(bundle, "old", 2, TIMEOUT, 7_200_000);
    await lose(bundle, "reset", 3, RESET, 60_000);
    expect(await listed(bundle)).toEqual(["old", "reset", "new"]);
    expect(await listed(bundle, { reason: "no reply" })).toEqual(["old", "new"]);
    expect(await listed(bundle, { since: Date.now() - 3_600_000 })).toEqual(["reset", "new"]);
    expect(await listed(bundle, { operation: "eko.mobile-otp.verify" })).toEqual([]);
    await bundle.client.settle("old", "succeeded", { reason: "they have it" });
    expect(await listed(bundle)).toEqual(["reset", "new"]);
  });

  it("that are alike are settled together, each with its decision, and no other", async () => {
    await using bundle = await startClientBundle();
    for (const nth of [1, 2, 3]) await lose(bundle, `t${nth}`, nth, TIMEOUT);
    await lose(bundle, "reset", 4, RESET);
    const { unknown } = bundle.client;
    expect(await unknown.settleLike("t2", "rejected", { reason: "never arrived" })).toBe(3);
    expect(await listed(bundle)).toEqual(["reset"]);
    for (const nth of [1, 2, 3]) {
      expect(await bundle.client.get(`t${nth}`)).toMatchObject({
        ...{ state: "rejected", decisions: [{ decision: "rejected", reason: "never arrived" }] },
      });
    }
    await expect(unknown.settleLike("t2", "rejected", { reason: "again" })).rejects.toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: "job t2 is rejected, not unknown: name one that is",
    });
  });

  it("that are alike go back into the queue with `resend`", async () => {
    await using bundle = await startClientBundle();
    for (const nth of [1, 2]) await lose(bundle, `t${nth}`, nth, TIMEOUT);
    expect(await bundle.client.unknown.settleLike("t1", "resend", { reason: "once more" })).toBe(2);
    expect(await listed(bundle)).toEqual([]);
    expect(await bundle.client.get("t2")).toMatchObject({ state: "queued" });
  });
});

describe("satyapan unknown list and settle --all-like", () => {
  it("show whom to ask the provider about, count on a dry run, then settle all that are alike", async () => {
    await using bundle = await startClientBundle();
    await using place = await makeTempDir();
    const env = { REDIS_URL: bundle.redis.url, ...testKeys() };
    const run = async (...args: string[]) => await new RunningCommand(args, { cwd: place.path, env }).ended;
    for (const nth of [1, 2]) await lose(bundle, `t${nth}`, nth, TIMEOUT);
    await lose(bundle, "reset", 3, RESET);
    const list = await run("unknown", "list");
    expect(list.stdout).toMatch(/t1 .*eko\.mobile-otp .*ref-t1 .*no reply in 30s/);
    expect(list.stdout).toMatch(/^3 unknown jobs$/m);
    const settle = ["settle", "t1", "rejected", "--all-like", "--reason", "never arrived"];
    expect((await run(...settle, "--dry-run")).stdout).toBe("2 unknown jobs would be settled as rejected\n");
    expect(JSON.parse((await run(...settle, "--json")).stdout)).toEqual({ settled: 2, matching: 2 });
    expect((await run("unknown", "list", "--limit", "5")).stdout).toMatch(/^1 unknown job$/m);
    expect(await run("settle", "reset", "rejected", "--reason", "x", "--dry-run")).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining("--dry-run is for --all-like") as string },
    });
  });
});
