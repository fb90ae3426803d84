import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { commandKeyProvider } from "../../../../src/privacy/keys/command-key-provider.ts";
import type { KeyProvider } from "../../../../src/privacy/keys/key-provider.ts";
import { identityOf, isAlive } from "../../../../src/redis/embedded/process-identity.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const PROGRAM = join(import.meta.dirname, "../../../support/key-program.ts");
const CONTEXT = "satyapan/data-key/1|0123456789ab|day:2026-11-21";
const KEY = randomBytes(32);

function provider(behaviour: string, timeoutMs = 10_000): KeyProvider {
  const environment = () => ({ KMS_REGION: "ap-south-1" });
  return commandKeyProvider({ program: process.execPath, args: [PROGRAM, behaviour], environment, timeoutMs });
}

/** What it is refused with; nothing that the program said is repeated. */
async function refused(given: KeyProvider, wrapped?: string): Promise<string> {
  const asked = wrapped === undefined ? given.wrap(KEY, CONTEXT) : given.unwrap(wrapped, CONTEXT);
  const error = await asked.then(
    () => new Error("it was not refused"),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: ErrorCode.KEYS_UNREACHABLE });
  const { message, stack, cause } = error as Error;
  expect(`${message}${stack}${String(cause)}`).not.toMatch(/SECRET/);
  expect(message).not.toContain(KEY.toString("base64"));
  return message.replace(/^the key service \(KEY_PROVIDER, command \w+\) does not give keys: /, "");
}

describe("a program as key service", () => {
  it("wraps and unwraps, and says with which key", async () => {
    const program = provider("well");
    const wrapped = await program.wrap(KEY, CONTEXT);
    expect(wrapped).toMatch(/^x1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
    expect(program.keyIdOf(wrapped)).toBe("arn:made-up:key/7");
    expect(Buffer.from(await program.unwrap(wrapped, CONTEXT))).toEqual(KEY);
    expect(Buffer.from(await program.unwrap(wrapped, `${CONTEXT}x`))).not.toEqual(KEY);
  });

  it("sees of the environment what it is given and no more", async () => {
    const wrapped = await provider("environment").wrap(KEY, CONTEXT);
    const seen = JSON.parse(Buffer.from(wrapped.split(".")[2] ?? "", "base64url").toString()) as Record<string, string>;
    expect(Object.keys(seen).filter((name) => !name.startsWith("__"))).toEqual(["KMS_REGION"]);
  });

  it.concurrent.each([
    ["garbage", "its answer is not what was agreed on"],
    ["empty", "its answer is not what was agreed on"],
    ["short", "its answer is not what was agreed on"],
    ["flood", "its answer has more than 65536 bytes"],
    ["exit", "it ended with exit code 1"],
  ])("that answers with %s gives no key", async (behaviour, message) => {
    expect(await refused(provider(behaviour))).toBe(message);
  });

  it("gives no key that has not 32 bytes", async () => {
    const wrapped = await provider("well").wrap(KEY, CONTEXT);
    expect(await refused(provider("short"), wrapped)).toBe("its key has not 32 bytes");
  });

  it("that hangs is given up and killed", async () => {
    await using dir = await makeTempDir();
    const pidFile = join(dir.path, "pid");
    // A shell: it starts within the limit on any machine, which another Node may not.
    const args = ["-c", 'echo $$ > "$0"; exec sleep 600', pidFile];
    const hanging = commandKeyProvider({ program: "/bin/sh", args, environment: () => ({}), timeoutMs: 3_000 });
    expect(await refused(hanging)).toBe("no answer within 3000 ms");
    const identity = identityOf(Number(readFileSync(pidFile, "utf8")));
    await expect.poll(() => identity !== null && isAlive(identity)).toBe(false);
  });

  it("that is not there, or may not be run, is told", async () => {
    const nothing = commandKeyProvider({ program: "/nowhere/keys", args: [], environment: () => ({}) });
    await expect(nothing.wrap(KEY, CONTEXT)).rejects.toThrow("it cannot be started (ENOENT)");
    const noProgram = commandKeyProvider({ program: PROGRAM, args: [], environment: () => ({}) });
    await expect(noProgram.wrap(KEY, CONTEXT)).rejects.toThrow("it cannot be started (EACCES)");
  });

  it("does not go through a shell", async () => {
    const args = [PROGRAM, "$(echo hang)", ";", "echo", "SECRET"];
    const given = commandKeyProvider({ program: process.execPath, args, environment: () => ({}) });
    expect(given.keyIdOf(await given.wrap(KEY, CONTEXT))).toBe("arn:made-up:key/7");
  });
});
