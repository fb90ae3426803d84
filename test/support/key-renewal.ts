import { writeSync } from "node:fs";
import { connectKeys } from "../../producers/keys/connect-keys.ts";
import { KeyRotation } from "../../producers/keys/key-rotation.ts";
import { parseKeyRing } from "../../src/privacy/keys/key-ring.ts";
import { connectRedis, ready } from "../../src/redis/connection.ts";
import { parseRedisUrl } from "../../src/redis/url.ts";

// Seals everything anew (`satyapan keys rotate --data`), says a line after the first page, and stands still to be killed there.
const [url = "", keys = ""] = process.argv.slice(2);
const redis = connectRedis(parseRedisUrl(url), "client", () => {});
await ready(redis);
const deps = connectKeys(redis, redis, { keys: parseKeyRing(keys), keyService: null }, Date.now, "command:test");
await new KeyRotation(async (work) => await work(deps)).renew({
  onProgress: () => {
    writeSync(1, "a page is done\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
