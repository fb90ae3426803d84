import { access, readdir } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { Cluster } from "ioredis";
import type { RedisClient } from "../../redis/connection.ts";
import type { RedisTarget } from "../../redis/url.ts";

/** Where Redis writes on this machine; or why that is not known. */
export type RedisFiles =
  | { readonly kind: "here"; readonly paths: readonly string[] }
  | { readonly kind: "elsewhere"; readonly reason: string };

/**
 * The AOF, the dump and the log of a Redis of this machine, by what it says of itself. They are not looked for where Redis
 * may run on another one: a folder of the same name here would be somebody else's.
 */
export async function redisFiles(redis: RedisClient, target: RedisTarget): Promise<RedisFiles> {
  if (redis instanceof Cluster || !isOnThisMachine(target))
    return { kind: "elsewhere", reason: "it is not on this machine: give copies of its AOF and RDB with --file" };
  let told: Record<string, string>;
  try {
    // Not `*`: among all of it are passwords.
    const replies = await Promise.all(
      ["dir", "append*", "dbfilename", "logfile"].map(async (name) => await redis.config("GET", name)),
    );
    told = Object.fromEntries(
      replies.flat().flatMap((name, index, all) => (index % 2 === 0 ? [[name, all[index + 1] ?? ""]] : [])),
    );
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ReplyError") throw error;
    return { kind: "elsewhere", reason: "it does not say where (CONFIG GET is refused): give them with --file" };
  }
  const dir = told["dir"] ?? "";
  const named = [told["appendfilename"], told["dbfilename"], told["logfile"]].filter((name) => (name ?? "") !== "");
  const parts = await readdir(join(dir, told["appenddirname"] ?? "")).catch(() => []);
  const ofAof = parts.filter((part) => part.startsWith(`${told["appendfilename"]}.`));
  const candidates = [
    ...named.map((name) => (isAbsolute(name ?? "") ? (name ?? "") : join(dir, name ?? ""))),
    ...ofAof.map((part) => join(dir, told["appenddirname"] ?? "", part)),
  ];
  const paths: string[] = [];
  for (const path of candidates) if (await isReadable(path)) paths.push(path);
  if (paths.length > 0) return { kind: "here", paths };
  return { kind: "elsewhere", reason: `nothing of it can be read in ${dir}: give its files with --file` };
}

async function isReadable(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

function isOnThisMachine(target: RedisTarget): boolean {
  if (target.kind === "unix") return true;
  return target.kind === "standalone" && /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/.test(target.address.host);
}
