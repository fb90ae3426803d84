import { isRead, type Unread } from "../src/base/unread.ts";
import { goesOn } from "../src/batches/batch-state.ts";
import { endedSight, openSight } from "../src/batches/onboarding-row.ts";
import { NOBODY, personPlace } from "../src/flows/person-place.ts";
import type { RowSight } from "../src/batches/row-end.ts";
import type { RowStore, TakenOnboarding } from "../src/batches/row-store.ts";
import { challengeOf, verifiesOf } from "../src/challenges/challenge.ts";
import { findFlow } from "../src/flows/flows.ts";
import { newOnboarding } from "../src/flows/new-onboarding.ts";
import { isOver, type Onboarding, stepJobId } from "../src/flows/onboarding.ts";
import type { OnboardingStore } from "../src/flows/onboarding-store.ts";
import type { Sealer } from "../src/privacy/sealing/sealed-text.ts";
import type { QueueName } from "../src/queues/names.ts";
import { packParent, PARENT_KINDS } from "../src/records/parent.ts";
import { parseRecord } from "../src/records/parse-record.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { RecordStore } from "../src/records/record-store.ts";
import type { Secret } from "../src/secrets/secret.ts";
import type { FeederBatch } from "./feeder-batch.ts";
import { type OpenRow, type TakeDeps, takeRows } from "./feeder-take.ts";
import type { HandedOver, RowRuns } from "./row-runs.ts";

export interface OnboardingRowsDeps extends TakeDeps {
  readonly rows: Pick<RowStore, "takeFlow" | "look" | "hold">;
  readonly onboardings: Pick<OnboardingStore, "getMany" | "cancelMany">;
  readonly records: Pick<RecordStore, "fieldsOfMany">;
  readonly subjectKey: Secret;
  readonly now: () => number;
}

const CALLED_OFF = "its batch was cancelled";
/** OTPs that follow each other in one challenge, and one look beyond. */
const MOST_HOPS = 8;

/** Rows that are one onboarding each. Its steps are made by whoever looks after onboardings, who is told of each. */
export class OnboardingRows implements RowRuns {
  readonly #deps: OnboardingRowsDeps;

  constructor(deps: OnboardingRowsDeps) {
    this.#deps = deps;
  }

  async take(hand: FeederBatch, epoch: number, most: number): Promise<HandedOver> {
    const { rows, now } = this.#deps;
    const { batch } = hand;
    const {
      taken,
      ended,
      isOver: isDone,
    } = await takeRows(this.#deps, hand, most, {
      schema: findFlow(batch.target.name).input,
      make: (open, sealer) => ({ row: open.row, begun: this.#make(hand, open, sealer) }),
      hand: async (made) =>
        await rows.takeFlow(
          batch,
          epoch,
          now(),
          made.map(({ begun }) => begun),
        ),
    });
    return { queued: new Map(taken.map(({ row }) => [row, null])), ended, isOver: isDone };
  }

  async see(hand: FeederBatch, rows: readonly number[]): Promise<(RowSight | Unread | null)[]> {
    const { queue, state } = hand.batch;
    const found = await this.#deps.onboardings.getMany(
      queue,
      rows.map((row) => hand.jobOf(row)),
    );
    const open = found.flatMap((one) => (isRead(one) && !isOver(one.state) ? [one] : []));
    const steps = await this.#steps(queue, open);
    const deadlines = await this.#deadlines(queue, open);
    const ended = await this.#jobsOf(
      queue,
      found.flatMap((one) => (isRead(one) && isOver(one.state) ? [one] : [])),
    );
    return found.map((one) => {
      if (!isRead(one)) return one;
      const jobs = ended.get(one.id);
      if (jobs !== undefined) return endedSight(one, jobs);
      return openSight(one, steps.get(one.id) ?? [], !goesOn(state), deadlines.get(one.id) ?? null);
    });
  }

  /**
   * Steps that were never called come out of the queue, and are made again when the batch goes on; onboardings of a cancelled batch
   * end before their next step. A code that somebody is asked for is still taken while a batch is paused.
   */
  async takeBack(hand: FeederBatch, epoch: number): Promise<number> {
    const { batch, air } = hand;
    const { rows, onboardings, now } = this.#deps;
    if (batch.state === "cancelled") {
      const open = [...air.values()].filter(({ isCalledOff }) => !isCalledOff);
      const ids = open.map(({ row }) => hand.jobOf(row));
      await onboardings.cancelMany(batch.queue, ids, CALLED_OFF);
      for (const row of open) row.isCalledOff = true;
      return open.length;
    }
    const queued = [...air.values()].filter((row) => row.state === "queued" && !row.isAway);
    const found = await onboardings.getMany(
      batch.queue,
      queued.map(({ row }) => hand.jobOf(row)),
    );
    // Another OTP in the place of one that was sent is somebody's wish, not the batch's.
    const steps = found.flatMap((one) =>
      isRead(one) && one.state === "running" && one.job === stepJobId(one.id, one.step) ? [one] : [],
    );
    return await rows.hold(batch, epoch, now(), steps);
  }

  /** Onboardings that nobody took on are found by whoever looks after them. */
  async mend(): Promise<void> {
    await Promise.resolve();
  }

  #make(hand: FeederBatch, { row, subject, input }: OpenRow, sealer: Sealer): TakenOnboarding {
    const { id, target, expiresInMs } = hand.batch;
    const createdAt = this.#deps.now();
    const onboarding = newOnboarding(findFlow(target.name), input, this.#deps.subjectKey, sealer, {
      ...{ id: hand.jobOf(row), lane: "bulk", createdAt },
      expiresAt: expiresInMs === null ? null : createdAt + expiresInMs,
      parent: packParent({ kind: PARENT_KINDS.batch, of: id, part: String(row) }),
    });
    return {
      at: row,
      run: hand.runOf(row),
      ...(subject === null ? NOBODY : personPlace(subject)),
      onboarding,
    };
  }

  /** The jobs of the steps where these stand, as `LOOK_AT_ROWS` saw them, by the onboardings' ids. */
  async #steps(queue: QueueName, open: readonly Onboarding[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const running = open.filter(({ state }) => state === "running");
    const answers = await this.#deps.rows.look(
      queue,
      running.map(({ job }) => job),
    );
    return new Map(running.map(({ id }, index) => [id, answers[index] ?? []]));
  }

  /** Until when the codes are good with which these await their persons, by the onboardings' ids. */
  async #deadlines(queue: QueueName, open: readonly Onboarding[]): Promise<ReadonlyMap<string, number>> {
    const { records, now } = this.#deps;
    const awaited = open.filter(({ state }) => state === "awaiting_otp");
    const found = await records.fieldsOfMany(
      queue,
      awaited.map(({ job }) => job),
    );
    const facts = { now: now(), cooldownMs: 0, isChecking: false };
    return new Map(
      awaited.map(({ id, job }, index) => {
        const fields = found[index] ?? null;
        return [id, (fields === null ? null : challengeOf(job, fields, facts).deadline) ?? now()];
      }),
    );
  }

  /** All jobs of their steps, in the order in which they were made: sends, those in their places, and verifies. */
  async #jobsOf(queue: QueueName, over: readonly Onboarding[]): Promise<ReadonlyMap<string, readonly JobRecord[]>> {
    const jobs = new Map<string, JobRecord[]>(over.map(({ id }) => [id, []]));
    let next = over.flatMap(({ id, step, done }) => {
      const steps = new Set([...done.map((one) => one.step), step]);
      return [...steps].map((name) => ({ of: id, job: stepJobId(id, name) }));
    });
    for (let hops = 0; next.length > 0 && hops < MOST_HOPS; hops += 1) {
      const found = await this.#deps.records.fieldsOfMany(
        queue,
        next.map(({ job }) => job),
      );
      next = next.flatMap(({ of, job }, index) => {
        const fields = found[index] ?? null;
        if (fields === null) return [];
        jobs.get(of)?.push(parseRecord(job, fields));
        const further = [...verifiesOf(fields), ...(fields["replaced"] === undefined ? [] : [fields["replaced"]])];
        return further.map((id) => ({ of, job: id }));
      });
    }
    for (const ofOne of jobs.values()) ofOne.sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
    return jobs;
  }
}
