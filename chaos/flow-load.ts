import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../producers/client.ts";
import type { OutboxMessage } from "../simulator/outbox.ts";
import { madeUpAadhaar, madeUpMobile } from "../simulator/people.ts";
import { SatyapanError } from "../src/base/error.ts";
import type { BatchRow } from "../src/batches/batch-row.ts";
import { hasEnded } from "../src/batches/batch-state.ts";
import { findFlow } from "../src/flows/flows.ts";
import { parseInput } from "../src/operations/entry-rules.ts";
import { subjectOf } from "../src/operations/subject.ts";
import type { Secret } from "../src/secrets/secret.ts";
import type { Dice } from "./random.ts";

/** A row that was accepted, and how its person behaves: the harness' own memory of it. */
export interface FlowRow {
  readonly batch: FlowBatch;
  readonly row: number;
  readonly mobile: string;
  readonly aadhaar: string;
  readonly answers: Answers;
}

/** `late`: after some 10 s; `mistypes`: once, and then the right one. */
type Answers = "at once" | "late" | "mistypes" | "never";

export interface FlowBatch {
  readonly ownId: string;
  readonly flow: string;
  readonly rows: FlowRow[];
  /** Null until somebody said that it was accepted. */
  id: string | null;
}

export interface FlowLoadOptions {
  /** Submits and answers over the network that is cut. */
  readonly submitter: Client;
  /** Looks on undisturbed (but for Redis itself). */
  readonly watcher: Client;
  /** What phones received after that, oldest first. */
  readonly outboxAfter: (seq: number) => Promise<readonly OutboxMessage[]>;
  readonly subjectKey: Secret;
  readonly dice: Dice;
  /** Submit while fewer rows than this are neither over nor with their person. */
  readonly backlog: number;
}

/** Between two looks, and between two tries, in ms. */
const LOOK_MS = 250;
const RETRY_MS = 200;
const ROWS = { least: 10, most: 60 };
const FLOWS = ["eko.mobile", "eko.dmt-levin", "eko.aeps-fingpay", "deepvue.aadhaar"] as const;
const HABITS: readonly (readonly [Answers, number])[] = [
  ["at once", 70],
  ["mistypes", 15],
  ["late", 10],
  ["never", 5],
];
const DRAWN = HABITS.flatMap(([answers, weight]) => Array.from({ length: weight }, () => answers));
const THINKING_MS = { least: 100, most: 3_000 };
const LATE_MS = { least: 8_000, most: 12_000 };
/** A person who gets no answer for so long puts the phone away, in ms. */
const PATIENCE_MS = 60_000;
/** Of all batches, so many are paused for a while. */
const PAUSED = 0.2;
const PAUSED_MS = { least: 1_000, most: 5_000 };
/** After the end people have so long until their batches are cancelled, in ms: no other end comes to whoever never answers. */
const LAST_CALL_MS = 60_000;

/** Files of persons who are onboarded by flows and read out their codes, each in their own way, for as long as it goes on. */
export class FlowLoad {
  readonly batches: FlowBatch[] = [];
  readonly #options: FlowLoadOptions;
  readonly #open = new Set<FlowBatch>();
  /** Rows that wait for nobody but us, as they were seen last. */
  readonly #busy = new Map<FlowBatch, number>();
  readonly #byNumber = new Map<string, FlowRow>();
  readonly #standing = new Map<FlowBatch, string>();
  #persons = 0;
  #heard = 0;

  constructor(options: FlowLoadOptions) {
    this.#options = options;
  }

  get accepted(): number {
    return this.batches.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  /** Rows of batches that have not ended. */
  get open(): number {
    return [...this.#open].reduce((sum, { rows }) => sum + rows.length, 0);
  }

  standing(): string {
    return [...this.#standing.values()].join("; ");
  }

  #busyRows(): number {
    return [...this.#busy.values()].reduce((sum, rows) => sum + rows, 0);
  }

  /** Submits until aborted, then waits until every batch has ended, at most `drainMs`. Whatever is open then is lost. */
  async run(stop: AbortSignal, drainMs: number): Promise<void> {
    const { backlog } = this.#options;
    let stoppedAt = Infinity;
    let isCancelled = false;
    while (this.open > 0 || !stop.aborted) {
      if (stop.aborted) stoppedAt = Math.min(stoppedAt, performance.now());
      if (performance.now() > stoppedAt + drainMs) return;
      while (!stop.aborted && this.#busyRows() < backlog) this.#nextFile();
      if (!isCancelled && performance.now() > stoppedAt + LAST_CALL_MS) {
        isCancelled = true;
        for (const { id } of this.#open)
          if (id !== null) void this.#retried(async (client) => await client.batches.cancel(id));
      }
      await this.#hear();
      await this.#look();
      await sleep(LOOK_MS);
    }
  }

  #nextFile(): void {
    const { dice } = this.#options;
    const batch: FlowBatch = { ownId: `chaos-${this.batches.length}`, flow: dice.pick(FLOWS), rows: [], id: null };
    const count = Math.round(dice.between(ROWS.least, ROWS.most));
    for (let row = 1; row <= count; row += 1) {
      const index = this.#persons++;
      const [mobile, aadhaar] = [madeUpMobile(index), madeUpAadhaar(index)];
      const person: FlowRow = { batch, row, mobile, aadhaar, answers: dice.pick(DRAWN) };
      batch.rows.push(person);
      this.#byNumber.set(mobile, person).set(aadhaar, person);
    }
    this.batches.push(batch);
    this.#open.add(batch);
    this.#busy.set(batch, count);
    const pausedMs = dice.between(PAUSED_MS.least, PAUSED_MS.most);
    void this.#submit(batch, dice.chance(PAUSED) ? pausedMs : null);
  }

  /** `pausedMs`: it is paused for so long, soon after it was accepted; null: it is not. */
  async #submit(batch: FlowBatch, pausedMs: number | null): Promise<void> {
    const { subjectKey } = this.#options;
    const flow = findFlow(batch.flow);
    const rows = batch.rows.map((person): BatchRow => {
      const input = parseInput(flow, inputOf(person), { now: Date.now(), aadhaarChecksum: true });
      const about = { row: person.row, ref: null, subject: subjectOf(subjectKey, flow, input) };
      return { ...about, input, columns: {}, state: "waiting" };
    });
    const options = { flow: batch.flow, id: batch.ownId, name: batch.ownId, stopAt: null };
    const view = await this.#retried(async (client) => await client.batches.submitChecked(rows, options));
    batch.id = view.id;
    if (pausedMs === null) return;
    await sleep(LOOK_MS);
    await this.#retried(async (client) => await client.batches.pause(view.id, "for a while"));
    await sleep(pausedMs);
    await this.#retried(async (client) => await client.batches.resume(view.id));
  }

  /** Again and again until it is done, or refused for good. */
  async #retried<T>(act: (client: Client) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await act(this.#options.submitter);
      } catch (error) {
        if (error instanceof SatyapanError && error.code === "bad-input") return undefined as T;
        await sleep(RETRY_MS);
      }
    }
  }

  /** Whoever got a code gives it, each in their own time. */
  async #hear(): Promise<void> {
    for (const { to, otp, seq } of await this.#options.outboxAfter(this.#heard)) {
      this.#heard = Math.max(this.#heard, seq);
      const person = this.#byNumber.get(to);
      if (person !== undefined) void this.#answer(person, otp);
    }
  }

  async #answer(person: FlowRow, otp: string): Promise<void> {
    const { dice } = this.#options;
    const thinking = dice.between(THINKING_MS.least, THINKING_MS.most);
    switch (person.answers) {
      case "never":
        return;
      case "at once":
        break;
      case "late":
        await sleep(dice.between(LATE_MS.least, LATE_MS.most));
        break;
      case "mistypes":
        await sleep(thinking);
        await this.#give(person, `${otp.slice(0, -1)}${(Number(otp.at(-1)) + 1) % 10}`);
        break;
    }
    await sleep(thinking);
    await this.#give(person, otp);
  }

  async #give({ batch, row }: FlowRow, code: string): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while (performance.now() < until) {
      try {
        if (batch.id !== null) {
          await this.#options.submitter.answer(`${batch.id}-${row}`, code);
          return;
        }
      } catch {
        // Redis is away, another code is with the provider, or the row is over.
      }
      await sleep(RETRY_MS);
    }
  }

  async #look(): Promise<void> {
    for (const batch of this.#open) {
      if (batch.id === null) continue;
      const view = await this.#options.watcher.batches.show(batch.id).catch(() => null);
      if (view === null) continue;
      const { state, counts, ended_at } = view;
      const open = counts.waiting + counts.queued + counts.calling;
      this.#busy.set(batch, open);
      this.#standing.set(batch, `${batch.id} ${state}: ${open} open, ${counts.awaiting_otp} awaited`);
      if (!hasEnded(state) || ended_at === null) continue;
      this.#open.delete(batch);
      this.#standing.delete(batch);
      this.#busy.delete(batch);
    }
  }
}

function inputOf({ batch, mobile, aadhaar }: FlowRow): Readonly<Record<string, unknown>> {
  switch (batch.flow) {
    case "eko.mobile":
      return { mobile, csp_id: madeUpMobile(399_999) };
    case "eko.aeps-fingpay":
      return { customer_id: mobile, aadhaar, latlong: "28.6139,77.2090" };
    case "deepvue.aadhaar": {
      const consent = { reference: `C-${batch.ownId}`, method: "checkbox", obtained_at: "2026-01-31T10:00:00+05:30" };
      return { aadhaar, purpose: "ForKYC", consent };
    }
    default:
      return {
        ...{ customer_id: mobile, aadhaar, name: "Asha Example", dob: "1990-01-31" },
        residence_address: "1 Example Road, Bengaluru 560001",
      };
  }
}
