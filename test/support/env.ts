import { homedir, tmpdir } from "node:os";
import { type Machine, machineFrom } from "../../src/redis/embedded/machine.ts";

/** What the tests are told from outside: the one place of `test/` that reads the environment. */
export interface TestEnv {
  /** `TEST_REDIS`: `docker` takes each test's Redis from an image, everything else from this machine (design §7). */
  readonly redis: "docker" | "local";
  /** `TEST_REDIS_IMAGE`. */
  readonly redisImage: string;
  /** `TEST_SEED`: of what is drawn at random; without it another one each time. */
  readonly seed: number;
  readonly machine: Machine;
}

export function readTestEnv(): TestEnv {
  // oxlint-disable-next-line node/no-process-env -- the tests' one place that reads the environment.
  const env = process.env;
  return {
    redis: env["TEST_REDIS"] === "docker" ? "docker" : "local",
    redisImage: env["TEST_REDIS_IMAGE"] ?? "redis:7.4-alpine",
    seed: Number(env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31)),
    machine: machineFrom(env, process.platform, homedir(), tmpdir()),
  };
}
