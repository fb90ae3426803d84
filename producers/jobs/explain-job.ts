import { GateControl } from "../../src/limits/control.ts";
import { explain } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import { PROVIDERS } from "../../src/base/provider-name.ts";
import { queueOf } from "../../src/queues/names.ts";
import { locateJob } from "./locate-job.ts";
import type { ClientConnections } from "../base/client-connections.ts";

/** Looks at a job, its place in the queue, the gate and the workers; a few round trips. Null: there is no such job. */
export async function explainJob({ redis, queues }: ClientConnections, id: string): Promise<Explanation | null> {
  for (const provider of PROVIDERS) {
    const queue = queueOf(provider);
    const located = await locateJob(redis, queue, id);
    if (located === null) continue;
    const [gate, workers] = await Promise.all([new GateControl(redis).read(queue), queues.workers(queue)]);
    return explain({ id, ...located, gate, workers, provider });
  }
  return null;
}
