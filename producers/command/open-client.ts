import type { CommandContext } from "../../src/command/context.ts";
import { openRedis } from "../../src/command/redis.ts";
import { loadSettings } from "../../src/command/settings.ts";
import { Client } from "../client.ts";

/** The client of a command: connections are made at first use, so wrong input is told before Redis is asked. */
export function openClient(context: CommandContext): Client {
  const settings = loadSettings(context);
  const { now, actor } = context;
  return new Client({ settings, now, actor, openRedis: async (of) => await openRedis(context, of) });
}
