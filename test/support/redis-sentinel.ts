import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { LocalServer } from "./local-server.ts";
import { TEST_REDIS_ARGS } from "./test-server.ts";

/** A master with a password, and one sentinel that knows it, on ports of their own; gone when it is disposed of. */
export class TestSentinel implements AsyncDisposable {
  readonly url: string;
  readonly sentinel: LocalServer;
  readonly #master: LocalServer;
  readonly #dir: string;

  constructor(url: string, sentinel: LocalServer, master: LocalServer, dir: string) {
    this.url = url;
    this.sentinel = sentinel;
    this.#master = master;
    this.#dir = dir;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.sentinel.remove(), this.#master.remove()]);
    await rm(this.#dir, { recursive: true, force: true });
  }
}

export async function startTestSentinel(): Promise<TestSentinel> {
  const dir = await mkdtemp(join(tmpdir(), "satyapan-sentinel-"));
  const masterPort = await freePort();
  const sentinelPort = await freePort();
  const bound = ["--bind", "127.0.0.1", "--port"];
  const login = ["--requirepass", "master-password"];
  const master = await LocalServer.create(await mkdtemp(join(dir, "m-")), [
    ...bound,
    String(masterPort),
    ...login,
    ...TEST_REDIS_ARGS,
  ]);
  await master.start();
  const configuration = join(dir, "sentinel.conf");
  const lines = [`sentinel monitor main 127.0.0.1 ${masterPort} 1`, "sentinel auth-pass main master-password"];
  await writeFile(configuration, `${lines.join("\n")}\n`);
  const sentinel = await LocalServer.create(await mkdtemp(join(dir, "s-")), [
    configuration,
    "--sentinel",
    ...bound,
    String(sentinelPort),
  ]);
  await sentinel.start();
  const url = `redis+sentinel://:master-password@127.0.0.1:${sentinelPort}/main/2`;
  return new TestSentinel(url, sentinel, master, dir);
}
