import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { commandActor } from "../producers/base/actor.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { homeFolder, userName } from "../src/base/user.ts";
import type { CommandContext } from "../src/command/context.ts";
import type { Faults } from "../src/command/faults.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";

/** The context of a command that is this process. */
export function processContext(faults: Faults, signal: AbortSignal, endAtHangup: () => void): CommandContext {
  const env = readEnvironment();
  return {
    env,
    cwd: workingFolder(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    now: Date.now,
    random: Math.random,
    readFile: (path) => readFileSync(path, "utf8"),
    actor: commandActor(userName()),
    machine: machineFrom(env, process.platform, homeFolder(), tmpdir()),
    ...{ signal, endAtHangup, faults },
    exit: (code) => (process.exitCode = code),
  };
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    const message = "the folder that this was started in is not there any more: go to one that is (cd), and try again";
    throw new SatyapanError(ErrorCode.BAD_USAGE, message, { cause });
  }
}
