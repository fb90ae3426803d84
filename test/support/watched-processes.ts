import { join } from "node:path";
import { BenchRedis } from "../../bench/bench-redis.ts";
import { ChaosRedis } from "../../chaos/chaos-redis.ts";
import { RedisNode } from "../../chaos/failover/node.ts";
import { Program } from "../../drill/program.ts";
import { findRedisServer } from "../../src/redis/embedded/server.ts";
import { RunningCommand } from "./command.ts";
import { readTestEnv } from "./env.ts";
import { freePort } from "./free-port.ts";

// Starts what the harness that is its first argument starts, in the folder that is its second one, and waits to be killed.

const [, , what = "", folder = ""] = process.argv;
const { machine } = readTestEnv();
const { path, home } = machine;

const START: Readonly<Record<string, () => Promise<unknown>>> = {
  drill: async () => {
    const logFile = join(folder, "log");
    await Promise.resolve(new Program({ program: "sleep", args: ["600"], env: { PATH: path }, cwd: folder, logFile }));
  },
  test: async () => {
    const program = ["sleep", "600"] as const;
    await Promise.resolve(new RunningCommand([], { cwd: folder, program: [...program] }));
  },
  chaos: async () => await ChaosRedis.start(machine, folder, "everysec"),
  failover: async () => {
    const program = await findRedisServer(machine);
    await new RedisNode({ program, folder, path, home }, await freePort(), []).start();
  },
  bench: async () => await BenchRedis.start({ ...machine, tmpDir: folder }, true, "active"),
};
await START[what]?.();
process.stdout.write("started\n");
setInterval(() => {}, 1_000);
