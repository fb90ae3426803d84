import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../producers/client.ts";
import type { OutboxMessage } from "../simulator/outbox.ts";
import { madeUpAadhaar, madeUpMobile } from "../simulator/people.ts";
import { SatyapanError } from "../src/base/error.ts";
import { createIds } from "../src/records/ids.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { Lane } from "../src/outcomes/lane.ts";
import { isTerminal } from "../src/outcomes/state.ts";
import type { AcceptedJob } from "./accepted-job.ts";
import type { Archivist } from "./archivist.ts";
import type { Dice } from "./random.ts";

export interface LoadOptions {
  /** Submits over the network that is cut. */
  readonly submitter: Client;
  /** Looks on undisturbed (but for Redis itself). */
  readonly watcher: Client;
  readonly phone: (person: string) => Promise<OutboxMessage | null>;
  readonly dice: Dice;
  /** Submit while fewer jobs than this are open. */
  readonly backlog: number;
  /** Hears of every job that has settled; with it jobs have generated ids, as only those are archived. */
  readonly archivist?: Archivist | null;
}

/** Between two looks, in ms. */
const LOOK_MS = 250;
/** Between two tries of a submit, in ms. */
const RETRY_MS = 100;
/** A file whose ids its own submission generates is tried again by that alone, for so long, in ms. */
const FILE_PATIENCE_MS = 600_000;
/** Of all persons, so many come in files; and a file's rows. */
const FROM_FILES = 0.5;
const ROWS = { least: 2, most: 100 };
/** A deadline that some jobs get. */
const SHORT_DEADLINE = "6s";

/** How often each is chosen. */
const MIX: readonly (readonly [operation: string, weight: number])[] = [
  ["eko.mobile-otp", 30],
  ["eko.dmt-levin.aadhaar-otp", 20],
  ["eko.aeps-fingpay.ekyc-otp", 15],
  ["deepvue.aadhaar-otp", 20],
  ["eko.dmt-levin.sender", 10],
  ["eko.dmt-levin.sender.create", 5],
];
export const DRAWN = MIX.flatMap(([operation, weight]) => Array.from({ length: weight }, () => operation));

/** Persons, their sends and the verifies after them, for as long as it goes on. */
export class Load {
  /** Every job that was accepted. */
  readonly accepted: AcceptedJob[] = [];
  readonly #options: LoadOptions;
  readonly #open = new Map<string, AcceptedJob>();
  readonly #ids = createIds();
  #persons = 0;
  #submitting = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open.size + this.#submitting;
  }

  /** Why those that are open wait, most often first, in few words. */
  async standing(): Promise<string> {
    const records = await this.#options.watcher.getMany([...this.#open.keys()]).catch(() => []);
    const counts = [...Map.groupBy(records, (record) => `${record?.state} ${record?.reason ?? ""}`.trim())];
    const sorted = counts.toSorted(([, a], [, b]) => b.length - a.length);
    return sorted.map(([why, list]) => `${list.length} ${why}`).join("; ");
  }

  /** Submits until aborted, then waits until every job is settled. Whatever is open when none was for `drainMs` is lost. */
  async run(stop: AbortSignal, drainMs: number): Promise<void> {
    const { backlog, dice } = this.#options;
    let [left, until] = [Infinity, Infinity];
    while (this.open > 0 || !stop.aborted) {
      if (stop.aborted && this.open < left) [left, until] = [this.open, performance.now() + drainMs];
      if (performance.now() > until) return;
      while (!stop.aborted && this.open < backlog) {
        // By how many come with each.
        if (dice.chance(FROM_FILES / ((ROWS.least + ROWS.most) / 2))) this.#nextFile();
        else this.#nextPerson();
      }
      await this.#look();
      await sleep(LOOK_MS);
    }
  }

  #nextPerson(): void {
    const { dice } = this.#options;
    const index = this.#persons++;
    const operation = dice.pick(DRAWN);
    const { input, person } = inputOf(operation, index);
    const expiresIn = dice.chance(0.05) ? SHORT_DEADLINE : undefined;
    this.#submit({ id: this.#id(`chaos-${index}`), operation, person, input }, input, expiresIn);
    // Two jobs at the same instant for one person: the cooldown keeps them apart.
    const isSend = operation.endsWith("-otp");
    if (isSend && dice.chance(0.05)) {
      this.#submit({ id: this.#id(`chaos-${index}-again`), operation, person, input }, input, undefined);
    }
  }

  #id(own: string): string {
    return this.#options.archivist ? this.#ids.job(Date.now()) : own;
  }

  #nextFile(): void {
    const { submitter, dice, archivist } = this.#options;
    const first = this.#persons;
    const file = fileOf(
      `chaos-file-${first}`,
      dice.pick(DRAWN),
      first,
      Math.round(dice.between(ROWS.least, ROWS.most)),
    );
    this.#persons += file.jobs.length;
    const ids = archivist ? { retryForMs: FILE_PATIENCE_MS } : { id: file.id };
    this.#keepTrying(file.jobs.length, async () => {
      const records = await submitter.submitManyUnchecked(file.operation, file.inputs, { ...ids, lane: "bulk" });
      return file.jobs.map((job, index) => ({ ...job, id: records[index]?.id ?? job.id, input: file.inputs[index] }));
    });
  }

  #submit(job: AcceptedJob, input: unknown, expiresIn: string | undefined): void {
    const { submitter, dice } = this.#options;
    const lane: Lane = dice.chance(0.5) ? "bulk" : "interactive";
    const options = { id: job.id, lane, ...(expiresIn === undefined ? {} : { expiresIn }) };
    this.#keepTrying(1, async () => {
      await submitter.submitUnchecked(job.operation, input, options);
      return [job];
    });
  }

  /** With the same ids until they are taken. */
  #keepTrying(count: number, submit: () => Promise<readonly AcceptedJob[]>): void {
    const keepTrying = async (): Promise<void> => {
      for (;;) {
        try {
          const jobs = await submit();
          this.accepted.push(...jobs);
          for (const job of jobs) this.#open.set(job.id, job);
          return;
        } catch (error) {
          // A verify of an OTP that has died meanwhile; everything else is Redis, which comes back.
          if (error instanceof SatyapanError && (error.code === "bad-input" || error.code === "expired")) return;
          await sleep(RETRY_MS);
        }
      }
    };
    this.#submitting += count;
    void keepTrying().finally(() => (this.#submitting -= count));
  }

  /** Takes the settled ones off, and has the OTPs that came verified. */
  async #look(): Promise<void> {
    const ids = [...this.#open.keys()];
    const records = await this.#options.watcher.getMany(ids).catch(() => []);
    for (const record of records) {
      if (record === null || !isTerminal(record.state)) continue;
      const job = this.#open.get(record.id);
      this.#open.delete(record.id);
      if (job !== undefined) this.#options.archivist?.note(job, record.state);
      if (job !== undefined && record.state === "succeeded" && job.operation.endsWith("-otp"))
        await this.#verify(job, record);
    }
  }

  async #verify(job: AcceptedJob, sent: JobRecord): Promise<void> {
    const { dice, phone } = this.#options;
    if (dice.chance(0.2)) return;
    const message = await phone(job.person);
    const right = message?.otp ?? "000000";
    const otp = dice.chance(0.1) ? `${right.slice(0, -1)}${(Number(right.at(-1)) + 1) % 10}` : right;
    const id = this.#options.archivist ? `${job.id}-v1` : `${job.id}-verify`;
    const verify = { id, operation: `${job.operation}.verify`, person: job.person };
    this.#submit(verify, { of: sent.id, otp }, undefined);
  }
}

/** Rows of one operation that share tickets. */
export interface LoadFile {
  readonly id: string;
  readonly operation: string;
  readonly inputs: readonly unknown[];
  /** In the rows' order. */
  readonly jobs: readonly AcceptedJob[];
}

export function fileOf(id: string, operation: string, first: number, rows: number): LoadFile {
  const submissions = Array.from({ length: rows }, (_, index) => inputOf(operation, first + index));
  const jobs = submissions.map(({ person }, index) => ({ id: `${id}-${index + 1}`, operation, person }));
  return { id, operation, inputs: submissions.map(({ input }) => input), jobs };
}

export interface Submission {
  readonly input: Record<string, unknown>;
  readonly person: string;
}

export function inputOf(operation: string, index: number): Submission {
  const mobile = madeUpMobile(index);
  const aadhaar = madeUpAadhaar(index);
  switch (operation) {
    case "eko.mobile-otp":
      return { person: mobile, input: { mobile, csp_id: madeUpMobile(399_999) } };
    case "eko.dmt-levin.aadhaar-otp":
      return { person: aadhaar, input: { customer_id: mobile, aadhaar, otp_ref_id: String(73_849_201 + index) } };
    case "eko.aeps-fingpay.ekyc-otp":
      return { person: aadhaar, input: { customer_id: mobile, aadhaar, latlong: "28.6139,77.2090" } };
    case "deepvue.aadhaar-otp": {
      const consent = { reference: `C-${index}`, method: "checkbox", obtained_at: "2026-01-31T10:00:00+05:30" };
      return { person: aadhaar, input: { aadhaar, purpose: "ForKYC", consent } };
    }
    case "eko.dmt-levin.sender":
      return { person: mobile, input: { customer_id: mobile } };
    default: {
      const residence_address = { line: "1 Example Road", city: "Bengaluru", state: "Karnataka", pincode: "560001" };
      return {
        person: mobile,
        input: { customer_id: mobile, name: "Asha Example", dob: "1990-01-31", residence_address },
      };
    }
  }
}
