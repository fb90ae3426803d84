import type { Lane } from "../outcomes/lane.ts";
import type { DataKeys } from "../privacy/keys/data-keys.ts";
import type { KeyScope } from "../privacy/sealing/data-key.ts";
import type { JobQueues } from "../queues/job-queues.ts";
import { queueOf } from "../queues/names.ts";
import type { RecordStore } from "../records/record-store.ts";
import type { Secret } from "../secrets/secret.ts";
import type { CheckedInput } from "./input-check.ts";
import { newJob } from "../records/new-job.ts";

export interface EntranceDeps {
  readonly records: Pick<RecordStore, "create" | "states">;
  readonly queues: Pick<JobQueues, "add">;
  readonly dataKeys: Pick<DataKeys, "sealer">;
  readonly subjectKey: Secret;
  readonly now: () => number;
}

export interface EntryTerms {
  /** Derived from what it is for, so that it is the same however often it is tried. */
  readonly id: string;
  readonly lane: Lane;
  /** Ms since the epoch; null: none. */
  readonly expiresAt: number | null;
  readonly scope: KeyScope;
  readonly actor: string;
  /** Who is told of its end (`packParent`). */
  readonly parent: string | null;
}

/** `conflict`: the id names a job with another input, or something that is no job. */
export type Entered = "entered" | "conflict";

/** Takes one job in under a derived id: doing it again, also after a crash in the middle, does what is left to do. */
export class Entrance {
  readonly #deps: EntranceDeps;

  constructor(deps: EntranceDeps) {
    this.#deps = deps;
  }

  async enter(checked: CheckedInput, { id, lane, expiresAt, scope, actor, parent }: EntryTerms): Promise<Entered> {
    const { records, dataKeys, subjectKey, now } = this.#deps;
    const queue = queueOf(checked.operation.provider);
    const createdAt = now();
    const expiresInMs = expiresAt === null ? null : expiresAt - createdAt;
    const terms = { id, isOwn: true, lane, expiresInMs, createdAt, actor, parent };
    const job = newJob(subjectKey, await dataKeys.sealer(scope), checked, terms);
    const [creation] = await records.create(queue, [job]);
    if (creation === "conflict") return "conflict";
    await this.queue(checked.operation, id, lane);
    return "entered";
  }

  /** Queues a job that has a record, unless it has been taken: adding twice adds once. */
  async queue({ provider, step }: CheckedInput["operation"], id: string, lane: Lane): Promise<void> {
    const { records, queues } = this.#deps;
    const queue = queueOf(provider);
    const [state] = await records.states(queue, [id]);
    if (state === "queued") await queues.add(queue, [{ id, lane, verify: step === "verify" }]);
  }
}
