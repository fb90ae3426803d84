import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "../producers/client.ts";
import { madeUpMobile } from "../simulator/people.ts";
import { startSimulator, type Simulator } from "../simulator/simulator.ts";
import { parseSettings } from "../src/config/parse-settings.ts";
import { OPERATIONS } from "../src/operations/catalogue.ts";
import { RedisAccess } from "../src/redis/access.ts";
import { readTestEnv } from "../test/support/env.ts";
import { startTestRedis, type TestRedis } from "../test/support/redis.ts";
import { watchOverChild } from "../test/support/watch-over.ts";
import { bundleEnv } from "../test/support/worker.ts";

export const QUEUE = "{eko-0}";

export interface PlaceOptions {
  readonly quota: string;
  readonly workers: number;
  /** The niceness of the workers' processes: the witness goes first. */
  readonly nice: string;
  /** The command's entry: another one is measured in the same way. */
  readonly main: string;
}

/** A Redis, a simulator in this process as the witness, and worker processes. */
export class Place implements AsyncDisposable {
  readonly redis: TestRedis;
  readonly simulator: Simulator;
  readonly client: Client;
  readonly #env: Record<string, string>;
  readonly #cwd: string;
  readonly #options: PlaceOptions;
  readonly #children: ChildProcess[] = [];
  pickups = 0;

  private constructor(
    options: PlaceOptions,
    redis: TestRedis,
    simulator: Simulator,
    env: Record<string, string>,
    cwd: string,
  ) {
    this.#options = options;
    this.redis = redis;
    this.simulator = simulator;
    this.#env = env;
    this.#cwd = cwd;
    const settings = parseSettings(env, { readFile: () => "", operations: OPERATIONS });
    const { machine } = readTestEnv();
    this.client = new Client({
      tmpDir: tmpdir(),
      settings,
      openRedis: async () => await RedisAccess.open({ settings, stateDir: cwd, machine, onError: () => {} }),
      actor: "command:bench",
      now: Date.now,
    });
  }

  static async start(options: PlaceOptions, env: Record<string, string> = {}): Promise<Place> {
    const redis = await startTestRedis();
    const simulator = await startSimulator({ witness: true });
    const cwd = await mkdtemp(join(tmpdir(), "satyapan-quota-"));
    const all = { ...bundleEnv(simulator, redis.url), EKO_QUOTA: options.quota, LOG_LEVEL: "warn", ...env };
    const place = new Place(options, redis, simulator, all, cwd);
    void place.#countPickups();
    return place;
  }

  async submit(count: number): Promise<void> {
    const inputs = Array.from({ length: count }, (_, index) => ({ mobile: madeUpMobile(index), csp_id: "agent-1" }));
    await this.client.submitMany("eko.mobile-otp", inputs, { lane: "bulk" });
  }

  async startWorkers(): Promise<void> {
    const started = Array.from({ length: this.#options.workers }, async () => {
      // The witness goes first: one that is held up sees calls closer together than they were.
      const child = spawn("nice", ["-n", this.#options.nice, process.execPath, this.#options.main, "worker"], {
        env: { PATH: readTestEnv().machine.path, ...this.#env, LOG_LEVEL: "info" },
        cwd: this.#cwd,
        stdio: ["ignore", "ignore", "pipe"],
      });
      watchOverChild(child);
      this.#children.push(child);
      const ready = Promise.withResolvers<void>();
      createInterface(child.stderr).on("line", (line) => {
        if (line.includes('"worker ready"')) ready.resolve();
        if (/"level":(40|50|60)|"level":"(warn|error|fatal)"/.test(line)) process.stderr.write(`${line}\n`);
      });
      await ready.promise;
    });
    await Promise.all(started);
  }

  async commandCalls(): Promise<number> {
    const info = await this.redis.client().info("stats");
    return Number(/total_commands_processed:(\d+)/.exec(info)?.[1]);
  }

  async #countPickups(): Promise<void> {
    const client = this.redis.client();
    let last = "0";
    for (;;) {
      const reply = (await client
        .xread("COUNT", 500, "BLOCK", 1_000, "STREAMS", `bull:${QUEUE}:events`, last)
        .catch(() => "gone")) as [string, [string, string[]][]][] | null | "gone";
      if (reply === "gone") return;
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        last = id;
        if (fields[1] === "active") this.pickups += 1;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    await this.client.close();
    await this.simulator.close();
    await this.redis.stop();
    await rm(this.#cwd, { recursive: true, force: true });
  }
}
