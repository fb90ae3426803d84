import { once } from "node:events";
import { openEmbeddedRedis } from "../../src/redis/embedded/embedded-redis.ts";
import { readTestEnv } from "./env.ts";

// A command that uses the embedded Redis of a folder: holds it until its standard input ends.
const embedded = await openEmbeddedRedis({ dir: process.argv[2] ?? "", machine: readTestEnv().machine });
process.stdout.write(`${embedded.path}\n`);
process.stdin.resume();
await once(process.stdin, "end");
await embedded.close();
