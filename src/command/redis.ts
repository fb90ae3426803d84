import type { Settings } from "../config/settings.ts";
import { RedisAccess, stateDirOf } from "../redis/access.ts";
import type { CommandContext } from "./context.ts";

/** A command's Redis. `onError` hears of connection errors; without it they show only in the calls that fail. */
export async function openRedis(
  { cwd, machine, stderr }: CommandContext,
  settings: Settings,
  onError: (error: Error) => void = () => {},
): Promise<RedisAccess> {
  const say = (line: string): void => void stderr.write(`${line}\n`);
  return await RedisAccess.open({ settings, stateDir: stateDirOf(cwd), machine, onError, say });
}
