import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Logger, makeWorkerUtils, type WorkerUtils } from "graphile-worker";
import type { RedisUsage } from "./redis-usage.ts";
import { LOOK_MS, type OwnCommands, type Store } from "./store.ts";

/** Debian's folder for the socket of the machine's own server, which trusts the user of that name. */
const SOCKETS = "/var/run/postgresql";
/** Of `/proc`: 100 ticks a second on every Linux that Node runs on. */
const TICK_US = 10_000;

/** A database of its own on this machine's PostgreSQL, which is dropped with it. */
export class BenchPostgres implements Store {
  readonly folder: string;
  /** Its URL. */
  readonly address: string;
  readonly #name: string;
  readonly #server: WorkerUtils;
  readonly #jobs: WorkerUtils;
  readonly #postmaster: number;

  private constructor(folder: string, name: string, server: WorkerUtils, jobs: WorkerUtils, postmaster: number) {
    this.folder = folder;
    this.address = urlOf(name);
    this.#name = name;
    this.#server = server;
    this.#jobs = jobs;
    this.#postmaster = postmaster;
  }

  /** Null: this machine has none that lets us in. */
  static async start(tmpDir: string): Promise<BenchPostgres | null> {
    const name = `satyapan_bench_${process.pid}`;
    const server = await connect("postgres");
    let backend: number;
    try {
      await query(server, `create database ${name}`);
      backend = Number((await query(server, "select pg_backend_pid() as pid"))[0]?.["pid"]);
    } catch {
      await server.release();
      return null;
    }
    const jobs = await connect(name);
    await jobs.migrate();
    const folder = await mkdtemp(join(tmpDir, "satyapan-bench-"));
    return new BenchPostgres(folder, name, server, jobs, statOf(backend).parent);
  }

  /** CPU time of the server and all that it started. */
  usage(): Promise<RedisUsage> {
    const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const living = processes.flatMap((pid) => {
      try {
        return [statOf(Number(pid))];
      } catch {
        return []; // gone meanwhile
      }
    });
    const children = living.filter(({ parent }) => parent === this.#postmaster);
    const ticks = children.reduce((sum, { own }) => sum + own, 0);
    const { own, reaped } = statOf(this.#postmaster);
    return Promise.resolve({ cpuUs: (own + reaped + ticks) * TICK_US, commands: {} });
  }

  async settled(): Promise<OwnCommands> {
    const left = "select exists (select from graphile_worker._private_jobs) as left";
    while ((await query(this.#jobs, left))[0]?.["left"] === true) await sleep(LOOK_MS);
    return {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#jobs.release();
    // Connections take a moment to end; one that is cut off is an error that nobody hears.
    const still = `select exists (select from pg_stat_activity where datname = '${this.#name}') as still`;
    while ((await query(this.#server, still))[0]?.["still"] === true) await sleep(LOOK_MS);
    await query(this.#server, `drop database ${this.#name}`);
    await this.#server.release();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function urlOf(database: string): string {
  return `postgresql://${userInfo().username}@${encodeURIComponent(SOCKETS)}/${database}`;
}

async function connect(database: string): Promise<WorkerUtils> {
  return await makeWorkerUtils({ connectionString: urlOf(database), logger: new Logger(() => () => {}) });
}

async function query(utils: WorkerUtils, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return await utils.withPgClient(async (client) => (await client.query<Record<string, unknown>>(text)).rows);
}

/** proc(5): `pid (name) state ppid …`, utime, stime, cutime, cstime as fields 14 to 17; in ticks. */
function statOf(pid: number): { readonly parent: number; readonly own: number; readonly reaped: number } {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [user = 0, system = 0, children = 0, childrenSystem = 0] = fields.slice(11, 15);
  return { parent: fields[1] ?? 0, own: user + system, reaped: children + childrenSystem };
}
