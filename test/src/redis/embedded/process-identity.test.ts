import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { identityOf, isAlive } from "../../../../src/redis/embedded/process-identity.ts";
import { Script } from "../../../support/script.ts";

describe("a process", () => {
  it("is alive until it is killed, and is not taken for another of its number", async () => {
    await using script = new Script("idle.ts", []);
    await script.line();
    const identity = identityOf(script.child.pid ?? 0);
    expect(identity).not.toBeNull();
    if (identity === null) return;
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startedAt: "1" })).toBe(false);
    await script.kill9();
    expect(isAlive(identity)).toBe(false);
  });

  it("has ended also while its parent has not yet taken notice", async () => {
    const parent = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 30"], { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
    const pid = Number(said);
    await expect.poll(() => identityOf(pid)).toBeNull();
    expect(process.kill(pid, 0)).toBe(true);
    parent.kill();
  });

  it("that never was has no identity", () => {
    expect(identityOf(4_194_305)).toBeNull();
  });
});
