import { Redis } from "ioredis";
import { AuditChain } from "../../src/privacy/audit/chain.ts";
import { AuditFiles } from "../../src/privacy/audit/files.ts";
import { AuditKey } from "../../src/privacy/audit/key.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { QUEUES } from "../../src/queues/names.ts";

// Chains entries and, with a folder, writes them to files, until it is killed or Redis goes away.
const [socket = "", subjectKey = "", dir = ""] = process.argv.slice(2);
const redis = new Redis({ path: socket, retryStrategy: () => null, replyMapping: "legacy" });
const key = new AuditKey(new Secret(subjectKey));
const chain = new AuditChain({ redis, key, queues: QUEUES });
const files = dir === "" ? null : new AuditFiles({ redis, key, dir, onMended: () => {}, leaseMs: 100 });
redis.on("end", () => process.exit());
for (;;) {
  await chain.step();
  await files?.step();
}
