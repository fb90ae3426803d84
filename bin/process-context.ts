import { readFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { commandActor } from "../producers/base/actor.ts";
import type { CommandContext } from "../src/command/context.ts";
import type { Faults } from "../src/command/faults.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";

/** The context of a command that is this process. */
export function processContext(faults: Faults, signal: AbortSignal, endAtHangup: () => void): CommandContext {
  const env = readEnvironment();
  return {
    env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    now: Date.now,
    random: Math.random,
    readFile: (path) => readFileSync(path, "utf8"),
    actor: commandActor(userInfo().username),
    machine: machineFrom(env, process.platform, homedir(), tmpdir()),
    ...{ signal, endAtHangup, faults },
    exit: (code) => (process.exitCode = code),
  };
}
