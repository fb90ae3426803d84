import type { Settings } from "../config/settings.ts";
import { RedisAccess, stateDirOf } from "../redis/access.ts";
import { RedisPair } from "../redis/pair.ts";
import type { CommandContext } from "./context.ts";

type OnError = (error: Error) => void;

/** A command's Redis. `onError` hears of connection errors; without it they show only in the calls that fail. */
export async function openRedis(
  { cwd, machine, stderr }: CommandContext,
  settings: Settings,
  onError: OnError = () => {},
): Promise<RedisAccess> {
  const say = (line: string): void => void stderr.write(`${line}\n`);
  return await RedisAccess.open({ settings, stateDir: stateDirOf(cwd), machine, onError, say });
}

/** And that of the data keys, where it is another. */
export async function openRedisPair(
  context: CommandContext,
  settings: Settings,
  onError?: OnError,
): Promise<RedisPair> {
  return await RedisPair.open(settings, async (of) => await openRedis(context, of, onError));
}
