import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { watch as watchFolder } from "node:fs";
import { appendFile, chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { type EmbeddedRedis, openEmbeddedRedis } from "../../../../src/redis/embedded/embedded-redis.ts";
import { findRedisServer } from "../../../../src/redis/embedded/server.ts";
import { readTestEnv } from "../../../support/env.ts";
import { heard } from "../../../support/heard.ts";
import { groupOf, serversAt } from "../../../support/processes.ts";
import { Script } from "../../../support/script.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const { machine } = readTestEnv();

describe("the embedded Redis of a folder", () => {
  it("is one for all processes, and stops when the last of them leaves", async () => {
    await using dir = await makeTempDir();
    await using other = new Script("embedded-holder.ts", [dir.path]);
    const path = await other.line();
    const own = await openEmbeddedRedis({ dir: dir.path, machine });
    expect(own.path).toBe(path);
    const servers = serversAt(path);
    expect(servers).toHaveLength(1);
    await other.finish();
    expect(serversAt(path)).toEqual(servers);
    await own.close();
    expect(serversAt(path)).toEqual([]);
  });

  it("is one for processes that start at the same time", async () => {
    await using dir = await makeTempDir();
    const scripts = Array.from({ length: 4 }, () => new Script("embedded-holder.ts", [dir.path]));
    const paths = await Promise.all(scripts.map(async (script) => script.line()));
    const path = paths[0] ?? "";
    expect(new Set(paths).size).toBe(1);
    expect(serversAt(path)).toHaveLength(1);
    await Promise.all(scripts.map(async (script) => script.finish()));
    expect(scripts.map((script) => script.child.exitCode)).toEqual([0, 0, 0, 0]);
    expect(serversAt(path)).toEqual([]);
  });

  it("may be opened and closed at the same time, again and again, in one process", async () => {
    await using dir = await makeTempDir();
    const paths = new Set<string>();
    const visit = async (): Promise<void> => {
      const embedded = await openEmbeddedRedis({ dir: dir.path, machine });
      paths.add(embedded.path);
      expect(await call(embedded, "INCR", "visits")).toBeGreaterThan(0);
      await embedded.close();
      await embedded.close();
    };
    await Promise.all(Array.from({ length: 12 }, visit));
    await using embedded = await open(dir.path);
    expect(await call(embedded.redis, "GET", "visits")).toBe("12");
    expect(paths.size).toBe(1);
  });

  it("keeps its data when all have left", async () => {
    await using dir = await makeTempDir();
    {
      await using first = await open(dir.path);
      await call(first.redis, "SET", "kept", "1");
    }
    await using second = await open(dir.path);
    expect(await call(second.redis, "GET", "kept")).toBe("1");
  });

  it("is held no more by a process that was killed, once another has come and gone", async () => {
    await using dir = await makeTempDir();
    await using victim = new Script("embedded-holder.ts", [dir.path]);
    const path = await victim.line();
    await victim.kill9();
    expect(serversAt(path)).toHaveLength(1);
    await (await openEmbeddedRedis({ dir: dir.path, machine })).close();
    expect(serversAt(path)).toEqual([]);
  });

  it("stays for whoever lives when others are killed, or come and go", async () => {
    await using dir = await makeTempDir();
    await using living = new Script("embedded-holder.ts", [dir.path]);
    const path = await living.line();
    const servers = serversAt(path);
    await using victim = new Script("embedded-holder.ts", [dir.path]);
    await victim.line();
    await victim.kill9();
    await (await openEmbeddedRedis({ dir: dir.path, machine })).close();
    expect(serversAt(path)).toEqual(servers);
    await living.finish();
    expect(serversAt(path)).toEqual([]);
  });

  it("is not reached by Ctrl-C in the terminal of the command that started it", async () => {
    await using dir = await makeTempDir();
    await using starter = new Script("embedded-holder.ts", [dir.path], { detached: true });
    const path = await starter.line();
    await using own = await open(dir.path);
    const [server = 0] = serversAt(path);
    expect(groupOf(starter.child.pid ?? 0)).toBe(starter.child.pid);
    expect(groupOf(server)).toBe(server);
    process.kill(-(starter.child.pid ?? 0), "SIGINT");
    await starter.ended;
    expect(await call(own.redis, "PING")).toBe("PONG");
  });

  it("is started anew by the next command after a kill -9 of its server, and those who held it are back", async () => {
    await using dir = await makeTempDir();
    await using holder = await open(dir.path);
    const connection = new Redis({ path: holder.redis.path, maxRetriesPerRequest: null });
    connection.on("error", () => {});
    await connection.set("kept", "1");
    const [server = 0] = serversAt(holder.redis.path);
    const closed = heard(connection, "close");
    process.kill(server, "SIGKILL");
    await closed;
    await using next = await open(dir.path);
    expect(next.redis.path).toBe(holder.redis.path);
    expect(await connection.get("kept")).toBe("1");
    await next.redis.close();
    expect(await connection.get("kept")).toBe("1");
    connection.disconnect();
  });

  it("starts after a crash of the machine: a stale lock, a stale socket, half a command at the end of its AOF", async () => {
    await using dir = await makeTempDir();
    {
      await using first = await open(dir.path);
      await call(first.redis, "SET", "kept", "1");
      const closed = heard(await watch(first.redis), "close");
      process.kill(serversAt(first.redis.path)[0] ?? 0, "SIGKILL");
      await closed;
    }
    const dead = { pid: 4_194_305, startedAt: "1" };
    await writeFile(join(dir.path, "redis.lock"), JSON.stringify({ ...dead, nonce: randomUUID() }));
    await writeFile(join(dir.path, "redis", "holds", "left"), JSON.stringify(dead));
    const record = { server: dead, socket: join(dir.path, "redis.sock") };
    await writeFile(join(dir.path, "redis", "server.json"), JSON.stringify(record));
    const files = await readdir(join(dir.path, "redis"), { recursive: true });
    const aof = files.find((file) => file.endsWith(".aof")) ?? "";
    await appendFile(join(dir.path, "redis", aof), "*3\r\n$3\r\nSET\r\n$4\r\nha");
    await using second = await open(dir.path);
    expect(await call(second.redis, "GET", "kept")).toBe("1");
    await second.redis.close();
    expect(serversAt(second.redis.path)).toEqual([]);
  });

  it("is never two, and loses nothing, at whatever moment of its start a user is killed", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "redis.sock");
    await mkdir(join(dir.path, "redis", "holds"), { recursive: true });
    for (let moment = 1; moment <= 12; moment++) {
      using changes = countChanges(moment, [dir.path, join(dir.path, "redis"), join(dir.path, "redis", "holds")]);
      await using victim = new Script("embedded-holder.ts", [dir.path]);
      await Promise.race([changes.reached, victim.line()]);
      await victim.kill9();
      await using embedded = await open(dir.path);
      expect(serversAt(path)).toHaveLength(1);
      expect(await call(embedded.redis, "INCR", "moments")).toBe(moment);
    }
    expect(serversAt(path)).toEqual([]);
  });

  it("is not started a second time while one that nobody recorded does not listen yet", async () => {
    await using dir = await makeTempDir();
    const [path, data] = [join(dir.path, "redis.sock"), join(dir.path, "redis")];
    await mkdir(join(data, "holds"), { recursive: true });
    await writeFile(join(data, "starting"), "");
    const program = await findRedisServer(machine);
    // Its starter was killed just now; the machine is slow.
    const command = `sleep 0.4; exec "${program}" --port 0 --unixsocket "${path}" --dir "${data}" --appendonly yes`;
    const orphan = spawn("sh", ["-c", command], { stdio: "ignore" });
    const ended = once(orphan, "exit");
    {
      await using embedded = await open(dir.path);
      expect(serversAt(path)).toEqual([orphan.pid]);
      expect(await call(embedded.redis, "PING")).toBe("PONG");
    }
    await ended;
    expect(serversAt(path)).toEqual([]);
  });

  it("is for its user alone: no port, a folder and a socket that others cannot open", async () => {
    await using dir = await makeTempDir();
    const state = join(dir.path, ".satyapan");
    await using own = await open(state);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect((await stat(own.redis.path)).mode & 0o777).toBe(0o700);
    expect(await call(own.redis, "CONFIG", "GET", "port")).toEqual(["port", "0"]);
  });

  it("is not given the secrets in the environment of the command that starts it", async () => {
    await using dir = await makeTempDir();
    await using bin = await makeTempDir();
    const [program, seen] = [join(bin.path, "redis-server"), join(bin.path, "environment")];
    const real = await findRedisServer(machine);
    await writeFile(program, `#!/bin/sh\nenv >"${seen}"\nexec "${real}" "$@"\n`, { mode: 0o755 });
    const env = { PATH: `${bin.path}:${machine.path}`, EKO_ACCESS_KEY: "planted-key" };
    await using starter = new Script("embedded-holder.ts", [dir.path], { env });
    await starter.line();
    await starter.finish();
    expect(await readFile(seen, "utf8")).toContain(`PATH=${bin.path}:`);
    expect(await readFile(seen, "utf8")).not.toContain("planted-key");
  });

  it("is durable: AOF written before each answer, nothing evicted; and keeps a record in one piece", async () => {
    await using dir = await makeTempDir();
    await using own = await open(dir.path);
    const durable = { appendonly: "yes", appendfsync: "always", "maxmemory-policy": "noeviction", save: "" };
    const settings = { ...durable, "hash-max-ziplist-value": "1024" };
    for (const [name, value] of Object.entries(settings)) {
      expect(await call(own.redis, "CONFIG", "GET", name)).toEqual([name, value]);
    }
  });

  it("has its socket in a short folder of this user's where its own path is too long for one", async () => {
    await using dir = await makeTempDir();
    await using tmp = await makeTempDir();
    const deep = join(dir.path, "a".repeat(120));
    const elsewhere = { ...machine, tmpDir: tmp.path };
    const first = await openEmbeddedRedis({ dir: deep, machine: elsewhere });
    expect(dirname(dirname(first.path))).toBe(tmp.path);
    expect((await stat(dirname(first.path))).mode & 0o777).toBe(0o700);
    const second = await openEmbeddedRedis({ dir: deep, machine });
    expect(second.path).toBe(first.path);
    await first.close();
    expect(await call(second, "PING")).toBe("PONG");
    await second.close();
  });

  it("refuses that folder where others can write into it", async () => {
    await using dir = await makeTempDir();
    await using tmp = await makeTempDir();
    const options = { dir: join(dir.path, "a".repeat(120)), machine: { ...machine, tmpDir: tmp.path } };
    const first = await openEmbeddedRedis(options);
    await first.close();
    await chmod(dirname(first.path), 0o777);
    await expect(openEmbeddedRedis(options)).rejects.toMatchObject({
      code: ErrorCode.REDIS_UNREACHABLE,
      message: expect.stringContaining("is not only yours") as string,
    });
  });

  it("says where nothing can be written, and what to do", async () => {
    await using place = await makeTempDir();
    await writeFile(join(place.path, "file"), "");
    const dir = join(place.path, "file", ".satyapan");
    await expect(openEmbeddedRedis({ dir, machine })).rejects.toMatchObject({
      code: ErrorCode.REDIS_UNREACHABLE,
      message: `no embedded Redis can be kept in ${dir}: ENOTDIR: not a directory, mkdir '${dir}'; make it writable, or set REDIS_URL`,
    });
  });

  it("says the last line of the log where it does not start, and can be opened once that is mended", async () => {
    await using dir = await makeTempDir();
    await using bin = await makeTempDir();
    const program = join(bin.path, "redis-server");
    const script =
      '#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.0" && exit\necho first; echo "no such luck" >&2; exit 1\n';
    await writeFile(program, script, { mode: 0o755 });
    const failing = openEmbeddedRedis({ dir: dir.path, machine: { ...machine, path: `${bin.path}:${machine.path}` } });
    await expect(failing).rejects.toMatchObject({
      code: ErrorCode.REDIS_UNREACHABLE,
      message: `the embedded Redis (${program}) did not start: no such luck\nIts log: ${dir.path}/redis/redis.log`,
    });
    await using own = await open(dir.path);
    expect(await call(own.redis, "PING")).toBe("PONG");
  });

  it("says what Redis says of an AOF that is broken in its middle, and touches nothing", async () => {
    await using dir = await makeTempDir();
    const data = join(dir.path, "redis", "appendonlydir");
    await mkdir(data, { recursive: true });
    await writeFile(join(data, "appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n");
    const broken = "*1\r\n$4\r\nPING\r\nnonsense\r\n*1\r\n$4\r\nPING\r\n";
    await writeFile(join(data, "appendonly.aof.1.incr.aof"), broken);
    await expect(openEmbeddedRedis({ dir: dir.path, machine })).rejects.toThrow(
      /Bad file format reading the append only file/,
    );
    expect(await readFile(join(data, "appendonly.aof.1.incr.aof"), "utf8")).toBe(broken);
  });
});

interface Opened extends AsyncDisposable {
  readonly redis: EmbeddedRedis;
}

async function open(dir: string): Promise<Opened> {
  const redis = await openEmbeddedRedis({ dir, machine });
  return { redis, [Symbol.asyncDispose]: async () => redis.close() };
}

/** One command on a connection of its own. */
async function call(embedded: EmbeddedRedis, command: string, ...args: string[]): Promise<unknown> {
  const connection = new Redis({ path: embedded.path });
  try {
    return await connection.call(command, ...args);
  } finally {
    connection.disconnect();
  }
}

/** `reached` resolves at the n-th change in these folders. */
function countChanges(n: number, folders: readonly string[]): Disposable & { readonly reached: Promise<void> } {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  let changes = 0;
  const watchers = folders.map((folder) => watchFolder(folder, () => ++changes === n && resolve()));
  return {
    reached,
    [Symbol.dispose]: () => {
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** A connection that does not come back. */
async function watch(embedded: EmbeddedRedis): Promise<Redis> {
  const connection = new Redis({ path: embedded.path, retryStrategy: null });
  await connection.ping();
  return connection;
}
