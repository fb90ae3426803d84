import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { hasCode } from "../../base/error-code.ts";
import { identityOf, isAlive, type ProcessIdentity } from "./process-identity.ts";

/** Between two looks at a server that is starting or stopping, in ms. */
const LOOK_EVERY_MS = 10;
/** A server that is there but says nothing (stopped, overloaded) is given up after this, in ms. Loading its data is no silence. */
const SILENCE_MS = 20_000;
/** For the answer to one PING, in ms. */
const PING_MS = 1_000;
/** The time for a SHUTDOWN with all that it writes to the disk, in ms. */
const SHUTDOWN_MS = 30_000;
/** The end of the log in which its last line is looked for, in bytes. */
const LOG_TAIL = 4_096;
/** A longer log is begun anew at the next start, in bytes: each start and stop adds about 2 kB. */
const LONGEST_LOG = 1_048_576;

export interface ServerStart {
  readonly program: string;
  readonly args: readonly string[];
  readonly socket: string;
  readonly logFile: string;
  /** The value of PATH, for a `redis-server` that is a script; nothing else of the environment, and so no secret, goes there. */
  readonly path: string;
  readonly home: string;
}

/**
 * Starts a Redis of its own session, so that Ctrl-C in a terminal does not reach it, and calls `started` before anything is
 * waited for. Resolves when it answers.
 * @throws SatyapanError REDIS_UNREACHABLE with the last line of its log.
 */
export async function startServer(start: ServerStart, started: (identity: ProcessIdentity) => void): Promise<void> {
  const before = await sizeOf(start.logFile);
  const logged = before > LONGEST_LOG ? 0 : before;
  const log = openSync(start.logFile, logged === 0 ? "w" : "a", 0o600);
  // An invalid locale in the environment stops Redis 7 at its start.
  const env = { PATH: start.path, HOME: start.home, LC_ALL: "C" };
  const child = spawn(start.program, start.args, { detached: true, stdio: ["ignore", log, log], env });
  const failed = once(child, "error");
  closeSync(log);
  child.unref();
  if (child.pid === undefined) throw notStarted(start, String((await failed)[0]));
  const identity = identityOf(child.pid);
  if (identity !== null) {
    started(identity);
    if (await answers(start.socket, identity)) return;
  }
  throw notStarted(start, (await lastLine(start.logFile, logged)) || "it ended without a word");
}

function notStarted({ program, logFile }: ServerStart, why: string): SatyapanError {
  const message = `the embedded Redis (${program}) did not start: ${why}\nIts log: ${logFile}`;
  return new SatyapanError(ErrorCode.REDIS_UNREACHABLE, message);
}

/**
 * Resolves with true as soon as the server at this socket answers, with false if there is none: the process has ended, or
 * (`null`: it is not known which it is) nobody listens.
 * @throws SatyapanError REDIS_UNREACHABLE if it stays silent.
 */
export async function answers(socket: string, identity: ProcessIdentity | null): Promise<boolean> {
  for (let silentMs = 0; silentMs < SILENCE_MS;) {
    const asked = performance.now();
    const reply = await ask(socket, "PING", PING_MS);
    if (reply === "nobody" && (identity === null || !isAlive(identity))) return false;
    const loading = reply.startsWith("-LOADING");
    if (!loading && reply !== "nobody" && reply !== "") return true;
    await sleep(LOOK_EVERY_MS);
    if (!loading) silentMs += performance.now() - asked;
  }
  const who = identity === null ? "" : ` (process ${identity.pid})`;
  throw new SatyapanError(
    ErrorCode.REDIS_UNREACHABLE,
    `the embedded Redis${who} does not answer at ${socket}: end that process, and try again`,
  );
}

/**
 * Lets the server write everything down and end, and waits until it has.
 * @throws SatyapanError REDIS_UNREACHABLE if it refuses or takes too long: it is then left running.
 */
export async function stopServer(socket: string, identity: ProcessIdentity | null, logFile: string): Promise<void> {
  const reply = await ask(socket, "SHUTDOWN", SHUTDOWN_MS);
  if (reply.startsWith("-")) {
    const why = `${reply.slice(1)} (${await lastLine(logFile, 0)})`;
    throw new SatyapanError(ErrorCode.REDIS_UNREACHABLE, `the embedded Redis does not stop: ${why}; it keeps running`);
  }
  if (identity === null) return;
  for (let waited = 0; isAlive(identity); waited += LOOK_EVERY_MS) {
    if (waited >= SHUTDOWN_MS) {
      const what = `the embedded Redis (process ${identity.pid}) has not stopped`;
      throw new SatyapanError(ErrorCode.REDIS_UNREACHABLE, `${what} within ${SHUTDOWN_MS / 1_000} s; see ${logFile}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** The first line of the reply; empty where the connection ends without one or `timeoutMs` passes; `nobody` listens. */
async function ask(socket: string, command: string, timeoutMs: number): Promise<string> {
  const connection = connect({ path: socket });
  connection.setEncoding("utf8").setTimeout(timeoutMs, () => connection.destroy(new Error("no reply")));
  let reply = "";
  try {
    await once(connection, "connect");
    connection.write(`${command}\r\n`);
    for await (const chunk of connection) {
      reply += String(chunk);
      if (reply.includes("\n")) break;
    }
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ECONNREFUSED")) return "nobody";
    if (hasCode(error, "EACCES")) throw notOurs(socket);
  } finally {
    connection.destroy();
  }
  return reply.split("\r\n")[0] ?? "";
}

function notOurs(socket: string): SatyapanError {
  const message = `${socket} belongs to another user: run satyapan as that one, or in a folder of your own`;
  return new SatyapanError(ErrorCode.REDIS_UNREACHABLE, message);
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The last line that was written after the byte `from`; empty: none. */
async function lastLine(file: string, from: number): Promise<string> {
  const size = await sizeOf(file);
  const start = Math.max(from, size - LOG_TAIL);
  if (size <= start) return "";
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  return buffer.toString("utf8").trim().split("\n").at(-1) ?? "";
}
