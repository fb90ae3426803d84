import { findOperation, type InputOf, type OperationName } from "../src/operations/catalogue.ts";
import { queueOf } from "../src/queues/names.ts";
import { createIds } from "../src/records/ids.ts";
import type { Lane } from "../src/outcomes/lane.ts";
import type { JobRecord } from "../src/records/record.ts";
import { type Actor, checkActor } from "./base/actor.ts";
import { LazyConnections, type OpenDeps } from "./base/client-connections.ts";
import { FileBatches } from "./imports/file-batches.ts";
import { FailedJobs } from "./failed/failed-jobs.ts";
import { Gates } from "./gates/gates.ts";
import type { FlowInputOf, FlowName } from "../src/flows/flows.ts";
import { awaitAll, type AwaitAllOptions } from "./jobs/await-all.ts";
import { explainJob } from "./jobs/explain-job.ts";
import type { Explanation } from "./jobs/explanation.ts";
import { type ProviderHealth, readHealth } from "./jobs/health.ts";
import { jobTerms } from "./jobs/job-terms.ts";
import type { IfPending } from "./jobs/open-challenges.ts";
import { readRecords } from "./jobs/read-records.ts";
import { reveal, type Revealed, type RevealOptions } from "./jobs/reveal.ts";
import { promote, type PromoteOptions } from "./jobs/promote.ts";
import { settle, type SettleDecision, type SettleOptions } from "./jobs/settle.ts";
import { type InputSource, sourceOf, Submission, type SubmissionOptions } from "./jobs/submission.ts";
import { UnknownJobs } from "./jobs/unknown-jobs.ts";
import { type AnswerRecord, Codes } from "./onboardings/codes.ts";
import { Onboardings, type OnboardOptions } from "./onboardings/onboardings.ts";
import type { OnboardingRecord } from "./onboardings/onboarding-record.ts";
import { findPerson, type FindOptions } from "./find/find-person.ts";
import type { FoundPart } from "./find/found-part.ts";
import { unknownJob } from "./jobs/find-job.ts";
import { isTerminal } from "../src/outcomes/state.ts";
import { type PatientWaitOptions, waitUntil } from "./base/wait-until.ts";
import { Patience, type PatienceOptions } from "./base/patience.ts";
import { type SpansLost, SubmitSpans } from "./base/submit-spans.ts";

export interface SubmitOptions extends PatienceOptions {
  /** The caller's own id: the same one twice gives the first job back. Default: a new one. */
  readonly id?: string;
  /**
   * Name of the batch it belongs to, 1 to 64 characters of A-Z a-z 0-9 . _ -: its sealed values have a data key of their own,
   * which `satyapan shred --batch` destroys. Default: the key of the day.
   */
  readonly batch?: string;
  /** Default `interactive`. */
  readonly lane?: Lane;
  /** A duration such as `"10m"`, or milliseconds: past it the job is `expired` and never called. Default: none. */
  readonly expiresIn?: string | number;
  /**
   * Only for an operation that sends an OTP: where one to the same person is open, or is still to be sent, `reuse` gives that
   * job back, marked `reused`, and sends nothing; inputs of one `submitMany` for one person get the first one's job. `wait`:
   * another is sent after the cooldown. Default: `wait`, but of one `submitMany` no two may be for one person
   * (SamePersonError `same-person`, nothing accepted).
   */
  readonly ifPending?: IfPending;
  /** The caller's span, as W3C Trace Context has it: the job's trace goes on there. Default: a trace of its own. */
  readonly traceparent?: string;
}

export interface SubmitManyOptions extends SubmitOptions {
  /** With it, row n (from 1) gets the id `ID-n`, so that a file can be submitted again after an interruption. */
  readonly id?: string;
  /** Default `bulk`. */
  readonly lane?: Lane;
  /** Called once all inputs are checked, with how many there are, before the first is accepted. */
  readonly onChecked?: (count: number) => void;
  /** Called after each chunk with the number of jobs accepted so far. */
  readonly onAccepted?: (count: number) => void;
}

export interface ClientDeps extends OpenDeps {
  /** The name of the user in the audit log: `command:USER`, `library:NAME`. */
  readonly actor: string;
  /** The folder of what is kept, sealed, while the program runs. */
  readonly tmpDir: string;
  /** Told of each loss of this client's spans. Default: nobody. */
  readonly onSpansLost?: ((lost: SpansLost) => void) | undefined;
}

/** Submits jobs and reads their records. Safe to share; fails in milliseconds while Redis is away, and recovers by itself. */
export class Client implements AsyncDisposable {
  /** Jobs whose attempts were used up: list, try again, drop. */
  readonly failed: FailedJobs;
  /** Jobs whose calls may have happened: list them, settle those that are alike. */
  readonly unknown: UnknownJobs;
  /** What stands before each provider: quotas, holds. */
  readonly gates: Gates;
  /** Files of rows: submit, watch, pause, cancel, results. */
  readonly batches: FileBatches;
  /** Persons on their way through flows: get, list, wait, cancel. */
  readonly onboardings: Onboardings;
  readonly #deps: ClientDeps;
  readonly #connections: LazyConnections;
  readonly #spans: SubmitSpans;
  readonly #submission: Submission;
  readonly #codes: Codes;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    const { settings, actor } = deps;
    const connections = new LazyConnections(deps);
    this.#connections = connections;
    const ids = createIds();
    const spans = new SubmitSpans({ tracing: settings.tracing, onLost: deps.onSpansLost ?? (() => {}) });
    this.#spans = spans;
    this.#submission = new Submission({ settings, actor, connections, ids, spans });
    this.onboardings = new Onboardings({ settings, connections, ids, spans, actor: this.#actor() });
    this.#codes = new Codes({ settings, connections, actor: this.#actor() });
    this.failed = new FailedJobs(connections.use, this.#actor());
    this.unknown = new UnknownJobs(connections.use, settings, this.#actor());
    this.gates = new Gates(connections.use, this.#actor());
    const use = connections.use;
    this.batches = new FileBatches({
      use,
      connections,
      settings,
      ids,
      spans,
      actor: this.#actor(),
      tmpDir: deps.tmpDir,
    });
  }

  /** Submits one job; its record, with `duplicate: true` if the id was there before. Throws SatyapanError. */
  async submit<Name extends OperationName>(
    operation: Name,
    input: InputOf<Name>,
    options: SubmitOptions = {},
  ): Promise<JobRecord> {
    return await this.submitUnchecked(operation, input, options);
  }

  /** `submit` for names and inputs that are known only at run time; checked just the same. */
  async submitUnchecked(operation: string, input: unknown, options: SubmitOptions = {}): Promise<JobRecord> {
    const { ifPending, id = null } = options;
    const terms = jobTerms(options, "interactive", this.#connections.clock.now());
    const patience = new Patience(options, this.#deps.now);
    return await this.#submission.one(operation, input, { ...terms, ifPending, patience, idOf: () => id });
  }

  /** Checks every input before any is accepted, then submits them in chunks. Throws SatyapanError naming each bad one. */
  async submitMany<Name extends OperationName>(
    operation: Name,
    inputs: readonly InputOf<Name>[],
    options: SubmitManyOptions = {},
  ): Promise<JobRecord[]> {
    return await this.submitManyUnchecked(operation, inputs, options);
  }

  async submitManyUnchecked(
    operation: string,
    inputs: readonly unknown[],
    options: SubmitManyOptions = {},
  ): Promise<JobRecord[]> {
    const records: JobRecord[] = [];
    await this.submitFrom(operation, sourceOf(inputs), options, async (chunk) => {
      await Promise.resolve(records.push(...chunk));
    });
    return records;
  }

  /**
   * `submitMany` for inputs that need not be in memory: they are gone through twice, and `onRecords` is given each chunk's
   * records. Throws SatyapanError; after the first chunk it says how many were accepted.
   */
  async submitFrom(
    operation: string,
    source: InputSource,
    options: SubmitManyOptions,
    onRecords: SubmissionOptions["onRecords"],
  ): Promise<void> {
    const { id, ifPending, onChecked, onAccepted } = options;
    const terms = jobTerms(options, "bulk", this.#connections.clock.now());
    const patience = new Patience(options, this.#deps.now);
    const idOf = (index: number): string | null => (id === undefined ? null : `${id}-${index + 1}`);
    await this.#submission.many(operation, source, {
      ...{ ...terms, idOf, ifPending, patience, onChecked, onAccepted, onRecords },
    });
  }

  /** Onboards one person by a flow; its record, with `duplicate: true` if the id was there before. Throws SatyapanError. */
  async onboard<Name extends FlowName>(
    flow: Name,
    input: FlowInputOf<Name>,
    options: OnboardOptions = {},
  ): Promise<OnboardingRecord> {
    return await this.onboardings.begin(flow, input, options);
  }

  /**
   * Gives the code that a person read out: `id` is of a send or of an onboarding. It is verified once, however often it is given;
   * one that comes early is kept for minutes. Throws SatyapanError with the reason where none is taken.
   */
  async answer(id: string, code: string): Promise<AnswerRecord> {
    return await this.#codes.answer(id, code);
  }

  /**
   * Jobs and onboardings of the person with this Aadhaar or mobile number, newest first: it is hashed, and written into the audit log
   * only so. Rows of batches are known by an index; for the rest it looks through all records: seconds for 100,000. Throws SatyapanError `bad-input` for what is no such number.
   */
  async find(number: string, options: FindOptions = {}): Promise<FoundPart[]> {
    const { settings } = this.#deps;
    return await this.#connections.use(
      async (opened) => await findPerson(opened, settings, this.#actor(), number, options),
    );
  }

  /** Sends another OTP in the place of the one that is awaited, after the cooldown. Throws SatyapanError with the reason. */
  async resend(id: string): Promise<{ readonly id: string; readonly send: string }> {
    return await this.#codes.resend(id);
  }

  /** The record of a job, or null. */
  async get(id: string): Promise<JobRecord | null> {
    const [record = null] = await this.getMany([id]);
    return record;
  }

  /**
   * How each provider's queue, gate, batches and persons are now: what workers measure for Prometheus, each open batch, and the last
   * jobs that failed or are unknown.
   */
  async health(): Promise<ProviderHealth[]> {
    const { retention } = this.#deps.settings;
    return await readHealth(this.#connections.use, () => this.#connections.clock.now(), retention);
  }

  /** Why a job is not done yet, and when it will be tried; null: there is no such job. */
  async explain(id: string): Promise<Explanation | null> {
    return await this.#connections.use(async (opened) => await explainJob(opened, id));
  }

  /** The records of many jobs, null where there is none; in order. */
  async getMany(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return await this.#connections.use(async (opened) => await readRecords(opened, ids));
  }

  /**
   * Decides a job that is `unknown`: it happened, it did not, or it is sent once more (after what is left of the person's
   * cooldown). The record after it. Throws SatyapanError: `unknown-job`, `bad-input` where it is not `unknown`, `expired`.
   */
  async settle(id: string, decision: SettleDecision, options: SettleOptions): Promise<JobRecord> {
    const { settings } = this.#deps;
    return await this.#connections.use(
      async (opened) => await settle(opened, settings, this.#actor(), id, decision, options),
    );
  }

  /**
   * Has a job tried now that backs off after a failed attempt: nothing else that stops it is skipped. The record after it. Throws
   * SatyapanError: `unknown-job`, `bad-input` where it waits for something else, `expired`.
   */
  async promote(id: string, options: PromoteOptions = {}): Promise<JobRecord> {
    return await this.#connections.use(async (opened) => await promote(opened, this.#actor(), id, options));
  }

  /** A job's sealed values in clear, written into the audit log first. Throws SatyapanError: see `reveal.ts`. */
  async reveal(id: string, options: RevealOptions): Promise<Revealed> {
    const actor = this.#actor(options.actor);
    return await this.#connections.use(async (opened) => await reveal(opened, actor, id, options));
  }

  /** Resolves with the record once the job is settled. Throws SatyapanError `wait-timeout` or `unknown-job`. */
  async waitFor(id: string, options: PatientWaitOptions = {}): Promise<JobRecord> {
    const awaited = {
      id,
      read: async (): Promise<JobRecord> => {
        const record = await this.get(id);
        if (record === null) throw unknownJob(id);
        return record;
      },
      isThere: ({ state }: JobRecord): boolean => isTerminal(state),
      stillOpen: ({ state }: JobRecord): string => `job ${id} is still ${state}`,
    };
    return await waitUntil(this.#connections, this.#deps.now, awaited, options);
  }

  /** Resolves when all these jobs of one operation are settled, when the time is up, or when `signal` aborts. */
  async waitForAll(operation: string, ids: readonly string[], options: AwaitAllOptions): Promise<void> {
    const queue = queueOf(findOperation(operation).provider);
    await awaitAll(this.#connections, this.#deps.now, queue, ids, options);
  }

  /** Closes the connections; the client cannot be used again. Never hangs. */
  async close(): Promise<void> {
    await this.#spans.close();
    await this.#connections.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** `name`: of the caller's own for itself. */
  #actor(name?: string): Actor {
    return {
      name: name === undefined ? this.#deps.actor : `library:${checkActor(name)}`,
      now: () => this.#connections.clock.now(),
    };
  }
}
