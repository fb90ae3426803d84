import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Machine } from "../../src/redis/embedded/machine.ts";
import { findRedisServer } from "../../src/redis/embedded/server.ts";

/** The program of that name on the PATH; `redis-server` as the embedded one is found. @throws SatyapanError REDIS_MISSING */
export async function findServer(name: string, machine: Machine): Promise<string> {
  if (name === "redis-server") return await findRedisServer(machine);
  for (const folder of machine.path.split(delimiter).filter((one) => isAbsolute(one))) {
    const runs = access(join(folder, name), constants.X_OK);
    if (
      await runs.then(
        () => true,
        () => false,
      )
    )
      return join(folder, name);
  }
  throw new SatyapanError(ErrorCode.REDIS_MISSING, `no ${name} is on the PATH`);
}
