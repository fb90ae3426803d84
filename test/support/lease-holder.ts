import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { Lease, WORKERS_LEASE_KEY } from "../../src/redis/lease.ts";

// Takes the workers' lease as soon as it can, and says for each line that it reads whether it has it.
const [socket = "", leaseMs = ""] = process.argv.slice(2);
const redis = new Redis({ path: socket, replyMapping: "legacy" });
const lease = await Lease.open({
  ...{ redis, key: WORKERS_LEASE_KEY, random: Math.random, leaseMs: Number(leaseMs) },
  onError: () => process.exit(1),
});
const say = (): boolean => process.stdout.write(`${lease.held}\n`);
say();
createInterface({ input: process.stdin }).on("line", say);
