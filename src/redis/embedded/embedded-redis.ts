import { createHash, randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { lstat, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { withFileLock } from "./file-lock.ts";
import type { Machine } from "./machine.ts";
import { identityOf, isAlive, ProcessIdentity } from "./process-identity.ts";
import { answers, startServer, stopServer } from "./process.ts";
import { findRedisServer } from "./server.ts";

/** Longest path of a socket, in bytes: 103 on macOS, 107 on Linux (unix(7)), less a little. */
const LONGEST_SOCKET_PATH = 100;
/** How long another command may take to start or stop the server, in ms. */
const LOCK_WAIT_MS = 60_000;
/** The time after which a server that was started and not recorded listens at the latest, and between two looks for it; in ms. */
const ORPHAN_MS = 5_000;
const ORPHAN_LOOK_MS = 20;

/** The server that runs, so that a later process knows it, whatever its own temporary folder is. */
const ServerRecord = z.object({ server: ProcessIdentity, socket: z.string() });
type ServerRecord = z.infer<typeof ServerRecord>;

export interface EmbeddedRedisOptions {
  /** The folder whose commands share the server, `.satyapan`; made with mode 0700. */
  readonly dir: string;
  readonly machine: Machine;
  /** Told before something takes long: a download. */
  readonly say?: (line: string) => void;
}

/**
 * A hold on the Redis that the commands of one folder share (design §7). It runs as long as somebody holds it: the first
 * starts it, the last to `close` stops it with everything written down; whoever was killed holds it no more.
 * Known by process numbers: containers that share a folder need a `REDIS_URL`.
 */
export interface EmbeddedRedis {
  /** Its Unix socket. */
  readonly path: string;
  /** Close your connections first. May be called twice. Throws SatyapanError where the server cannot be stopped. */
  close(): Promise<void>;
}

/** @throws SatyapanError REDIS_MISSING; REDIS_UNREACHABLE where it does not start, with the last line of its log, or nothing can be written. */
export async function openEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  try {
    return await open(options);
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    const message = `no embedded Redis can be kept in ${options.dir}: ${cause.message}; make it writable, or set REDIS_URL`;
    throw new SatyapanError(ErrorCode.REDIS_UNREACHABLE, message, { cause });
  }
}

async function open({ dir, machine, say }: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const home = await makeHome(dir, machine.tmpDir);
  // Before the lock: a download takes long.
  let program = (await readRecord(home)) === null ? await findRedisServer(machine, say) : null;
  const hold = join(home.holds, randomUUID());
  const path = await withFileLock(home.lock, LOCK_WAIT_MS, async () => {
    await writeFile(hold, JSON.stringify(identityOf(process.pid)), { mode: 0o600 });
    try {
      const record = await readRecord(home);
      const socket = record?.socket ?? home.socket;
      if (await answers(socket, record?.server ?? null)) return socket;
      if (record === null && (await orphanAnswers(home))) return socket;
      program ??= await findRedisServer(machine, say);
      await start(home, program, machine);
      return home.socket;
    } catch (error) {
      await rm(hold, { force: true });
      throw error;
    }
  });
  let closing: Promise<void> | null = null;
  return {
    path,
    close: async () => {
      closing ??= withFileLock(home.lock, LOCK_WAIT_MS, async () => leave(home, hold));
      await closing;
    },
  };
}

interface Home {
  readonly data: string;
  /** One file for each hold, with the process that has it. */
  readonly holds: string;
  readonly lock: string;
  readonly record: string;
  /** There while a server is started that is not recorded yet. */
  readonly starting: string;
  readonly log: string;
  readonly socket: string;
}

async function makeHome(dir: string, tmpDir: string): Promise<Home> {
  makeFolder(dir);
  const root = await realpath(dir);
  const data = join(root, "redis");
  const holds = join(data, "holds");
  makeFolder(holds);
  return {
    data,
    holds,
    lock: join(root, "redis.lock"),
    record: join(data, "server.json"),
    starting: join(data, "starting"),
    log: join(data, "redis.log"),
    socket: socketPath(root, tmpDir),
  };
}

function socketPath(root: string, tmpDir: string): string {
  const path = join(root, "redis.sock");
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  const name = createHash("sha256").update(root).digest("hex").slice(0, 16);
  return join(tmpDir, `satyapan-${name}`, "redis.sock");
}

/** What is recorded of a server that has ended says nothing any more. */
async function readRecord(home: Home): Promise<ServerRecord | null> {
  const record = await readJson(home.record, ServerRecord);
  return record !== null && isAlive(record.server) ? record : null;
}

/**
 * Whoever was killed in the very moment between starting a server and recording it left one that nobody knows, and that may
 * not listen yet. True as soon as it does; false where there is none.
 */
async function orphanAnswers(home: Home): Promise<boolean> {
  for (;;) {
    const begun = await stat(home.starting).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
    if (begun === null || Date.now() - begun > ORPHAN_MS) return false;
    if (await answers(home.socket, null)) return true;
    await sleep(ORPHAN_LOOK_MS);
  }
}

async function start(home: Home, program: string, machine: Machine): Promise<void> {
  if (dirname(home.socket) !== dirname(home.lock)) await makeOwnFolder(dirname(home.socket));
  const args = {
    "--port": "0",
    "--unixsocket": home.socket,
    "--unixsocketperm": "700",
    "--dir": home.data,
    "--appendonly": "yes",
    // With everysec, a kill -9 while the disk stalls loses what was accepted in the last two seconds.
    "--appendfsync": "always",
    "--aof-load-truncated": "yes",
    "--maxmemory-policy": "noeviction",
    // A record's sealed input is longer than the 64 bytes of the default, beyond which Redis keeps a hash in many pieces, each
    // with a price in memory and CPU. Redis ≥ 7 calls it hash-max-listpack-value, and takes this name, too.
    "--hash-max-ziplist-value": "1024",
    "--save": "",
  };
  const { path, home: userHome } = machine;
  writeFileSync(home.starting, "", { mode: 0o600 });
  const recorded = (): void => rmSync(home.starting, { force: true });
  await startServer(
    { program, args: Object.entries(args).flat(), socket: home.socket, logFile: home.log, path, home: userHome },
    // At once, not when it answers: whoever comes after a kill at this moment must find it, and not start a second one.
    (server) => {
      writeFileSync(home.record, JSON.stringify({ server, socket: home.socket }), { mode: 0o600 });
      recorded();
    },
  ).finally(recorded);
}

/** In a folder for everybody's temporary files, another user may have made it first. */
async function makeOwnFolder(folder: string): Promise<void> {
  makeFolder(folder);
  const { uid, mode } = await lstat(folder);
  if (uid === process.getuid?.() && (mode & 0o777) === 0o700) return;
  throw new SatyapanError(
    ErrorCode.REDIS_UNREACHABLE,
    `${folder}, for the embedded Redis's socket, is not only yours (mode 0700): remove it, or use a folder with a shorter path`,
  );
}

async function leave(home: Home, hold: string): Promise<void> {
  await rm(hold, { force: true });
  for (const name of await readdir(home.holds)) {
    const holder = await readJson(join(home.holds, name), ProcessIdentity);
    if (holder !== null && isAlive(holder)) return;
    await rm(join(home.holds, name), { force: true });
  }
  const record = await readRecord(home);
  const socket = record?.socket ?? home.socket;
  await stopServer(socket, record?.server ?? null, home.log);
  await rm(home.record, { force: true });
}

/** Null: it is not there, or not whole (written as a machine went down). */
async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return null;
  }
}
