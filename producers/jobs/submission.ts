import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { InputError } from "../../src/operations/input-error.ts";
import type { Ids } from "../../src/records/ids.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { LazyConnections } from "../base/client-connections.ts";
import { redisFailure } from "../../src/redis/failure.ts";
import type { Patience } from "../base/patience.ts";
import type { SubmitSpans } from "../base/submit-spans.ts";
import { queueOf } from "../../src/queues/names.ts";
import { spanIdOf } from "../../src/records/trace-place.ts";
import { type CheckedInput, InputCheck } from "../../src/entry/input-check.ts";
import { InputProblems } from "./input-problems.ts";
import { checkIds, CHUNK, Intake } from "./intake.ts";
import type { JobTerms } from "./job-terms.ts";
import { checkIfPending, type IfPending } from "./open-challenges.ts";
import { TicketPacker } from "../../src/records/ticket-packer.ts";
import { SamePersonError, SamePersons } from "./same-person.ts";

/** Inputs that can be gone through twice, with the same result. */
export interface InputSource {
  /** From the first input on, at most `CHUNK` at once. */
  chunks(): AsyncIterable<readonly unknown[]>;
}

export interface SubmissionOptions extends JobTerms {
  /** The caller's own id of the input at this position, from 0; null: a new one. */
  readonly idOf: (index: number) => string | null;
  readonly ifPending: IfPending | undefined;
  readonly patience: Patience;
  /** Called once all are checked, with how many there are, before the first is accepted. */
  readonly onChecked?: ((count: number) => void) | undefined;
  /** Called after each chunk with the number of jobs accepted so far. */
  readonly onAccepted?: ((count: number) => void) | undefined;
  /** Called after each chunk with its records, in order. */
  readonly onRecords: (records: readonly JobRecord[]) => Promise<void>;
}

export interface SubmissionDeps {
  readonly settings: Settings;
  /** The name of the caller in the audit log. */
  readonly actor: string;
  readonly connections: LazyConnections;
  readonly ids: Ids;
  readonly spans: SubmitSpans;
}

/** What the first pass found. */
interface Checked {
  readonly count: number;
  /** Inputs that have to be taken in: no job is known for them, and they share no other's. */
  readonly fresh: number;
  /** All chunks, where there are few. */
  readonly kept: readonly (readonly CheckedInput[])[] | null;
  /** With `reuse`, the inputs that are answered with the job of an earlier one for the same person. */
  readonly firsts: ReadonlyMap<number, number>;
}

/** This many chunks are kept from the first pass to the second; a longer list is read and checked again. */
const KEPT_CHUNKS = 20;

/** Submits inputs of one operation in two passes: all are checked before any is accepted. Memory does not grow with them. */
export class Submission {
  readonly #deps: SubmissionDeps;
  readonly #check: InputCheck;

  constructor(deps: SubmissionDeps) {
    this.#deps = deps;
    const { connections, settings } = deps;
    this.#check = new InputCheck({
      fieldsOfMany: async (queue, ids) =>
        await connections.use(async ({ records }) => await records.fieldsOfMany(queue, ids)),
      opener: async (texts) => await connections.use(async ({ dataKeys }) => await dataKeys.opener(texts)),
      settings,
      now: () => connections.clock.now(),
    });
  }

  /** Throws InputError where the input is wrong. */
  async one(operation: string, input: unknown, options: Omit<SubmissionOptions, "onRecords">): Promise<JobRecord> {
    const id = options.idOf(0);
    const startedAt = this.#deps.connections.clock.now();
    const checked = await options.patience.run(async () => await this.#check.check(operation, input, id));
    checkIds([checked], [id]);
    checkIfPending(options.ifPending ?? "wait", [checked]);
    if (checked.known !== null) return { ...checked.known, duplicate: true };
    const [record] = await this.#withIntake(options.patience, async (intake) => {
      if (id !== null) await options.patience.run(async () => await intake.refuseConflicts([checked], [id]));
      return await intake.accept([checked], { ...options, ids: [id], ifPending: options.ifPending ?? "wait" });
    });
    this.#tell(operation, startedAt, record === undefined ? [] : [record]);
    return record ?? missing();
  }

  /** Throws InputsError or SamePersonError, and nothing was accepted; or SatyapanError that says how many were. */
  async many(operation: string, source: InputSource, options: SubmissionOptions): Promise<void> {
    const checked = await this.#checkAll(operation, source, options);
    options.onChecked?.(checked.count);
    await options.patience.run(async () => await this.#deps.connections.connect());
    let accepted = 0;
    try {
      let [from, startedAt] = [0, this.#deps.connections.clock.now()];
      const firsts = new Map<number, JobRecord | null>([...checked.firsts.values()].map((row) => [row, null]));
      for await (const inputs of checked.kept ?? this.#checkedAgain(operation, source, options)) {
        const isFresh = ({ known }: CheckedInput, index: number): boolean =>
          known === null && !checked.firsts.has(from + index);
        const fresh = inputs.filter(isFresh);
        const ids = inputs.flatMap((input, index) => (isFresh(input, index) ? [options.idOf(from + index)] : []));
        const terms = { ...options, ids, ifPending: options.ifPending ?? "wait" };
        const accepts = await this.#withIntake(options.patience, async (intake) => await intake.accept(fresh, terms));
        this.#tell(operation, startedAt, accepts);
        startedAt = this.#deps.connections.clock.now();
        const taken = accepts.values();
        const records = inputs.map(({ known }, index): JobRecord => {
          if (known !== null) return { ...known, duplicate: true };
          const first = firsts.get(checked.firsts.get(from + index) ?? -1) ?? null;
          if (first !== null) return { ...first, reused: true };
          const record = taken.next().value ?? missing();
          if (firsts.has(from + index)) firsts.set(from + index, record);
          return record;
        });
        accepted += fresh.length;
        from += inputs.length;
        options.onAccepted?.(accepted);
        await options.onRecords(records);
      }
    } catch (error) {
      throw partly(error, accepted, checked.fresh);
    }
  }

  /** The first pass: nothing is kept of the inputs but a hash of each person. */
  async #checkAll(operation: string, source: InputSource, options: SubmissionOptions): Promise<Checked> {
    findOperation(operation);
    const { patience, ifPending, idOf } = options;
    const problems = new InputProblems();
    const persons = new SamePersons(this.#deps.settings);
    let kept: CheckedInput[][] | null = [];
    let [count, known] = [0, 0];
    let refusal: unknown = null;
    for await (const raws of source.chunks()) {
      const from = count;
      const ids = raws.map((_, index) => idOf(from + index));
      const answers = await patience.run(async () => await this.#check.checkAll(operation, raws, ids));
      const inputs: CheckedInput[] = [];
      for (const [index, answer] of answers.entries()) {
        if (answer instanceof InputError) {
          problems.add(from + index, answer);
          continue;
        }
        inputs.push(answer);
        persons.add(from + index, answer);
        if (answer.known !== null) known++;
      }
      count += raws.length;
      kept = kept === null || kept.length === KEPT_CHUNKS ? null : [...kept, inputs];
      if (!problems.none || refusal !== null) continue;
      try {
        checkIds(inputs, ids);
        checkIfPending(ifPending ?? "wait", inputs);
        if (ifPending === undefined && !persons.none) continue;
        await this.#refuseConflicts(inputs, ids, patience);
      } catch (error) {
        // What is wrong with later inputs is told first.
        refusal = error;
      }
    }
    problems.throwIfAny(count);
    const groups = persons.groups();
    if (ifPending === undefined && groups.length > 0) throw new SamePersonError(groups);
    // oxlint-disable-next-line typescript/only-throw-error -- caught above, as it is.
    if (refusal !== null) throw refusal;
    const firsts = new Map(
      ifPending === "reuse" ? groups.flatMap(([first = 0, ...rest]) => rest.map((row) => [row, first])) : [],
    );
    return { count, kept, firsts, fresh: count - known - firsts.size };
  }

  async #refuseConflicts(
    inputs: readonly CheckedInput[],
    ids: readonly (string | null)[],
    patience: Patience,
  ): Promise<void> {
    if (ids.every((id) => id === null)) return;
    const fresh = inputs.flatMap((input, index) => (input.known === null ? [{ input, id: ids[index] ?? null }] : []));
    const inputsOf = fresh.map(({ input }) => input);
    const idsOf = fresh.map(({ id }) => id);
    await this.#withIntake(patience, async (intake) => {
      await patience.run(async () => await intake.refuseConflicts(inputsOf, idsOf));
    });
  }

  /** The second pass, with what became of a verify's send meanwhile. */
  async *#checkedAgain(
    operation: string,
    source: InputSource,
    { idOf, patience }: SubmissionOptions,
  ): AsyncGenerator<CheckedInput[]> {
    let count = 0;
    for await (const raws of source.chunks()) {
      const from = count;
      const ids = raws.map((_, index) => idOf(from + index));
      const answers = await patience.run(async () => await this.#check.checkAll(operation, raws, ids));
      count += raws.length;
      yield answers.map((answer) => {
        if (answer instanceof InputError) throw answer;
        return answer;
      });
    }
  }

  /** Of what is new: the rest was told when it came. */
  #tell(operation: string, startedAt: number, records: readonly JobRecord[]): void {
    const { spans, connections } = this.#deps;
    if (!spans.areTold) return;
    const ids = records.filter((record) => !record.duplicate && !record.reused).map(({ id }) => id);
    const queue = queueOf(findOperation(operation).provider);
    spans.submitted(startedAt, connections.clock.now(), ids.length, async () => {
      const traced = await connections.use(async ({ traces }) => await traces.ofJobs(queue, ids));
      return traced.flatMap((one, index) => {
        const id = ids[index] ?? "";
        const attributes = { "satyapan.job": id, "satyapan.operation": operation };
        return one === null ? [] : [{ id, name: operation, place: one.place, parentId: spanIdOf(id), attributes }];
      });
    });
  }

  /** Also the way to Redis may be lost between two chunks, which `patience` bears; what `work` does is its own to bear. */
  async #withIntake<T>(patience: Patience, work: (intake: Intake) => Promise<T>): Promise<T> {
    const { settings, actor, ids, connections } = this.#deps;
    const now = (): number => connections.clock.now();
    const opened = await patience.run(async () => await connections.connect());
    const packer = new TicketPacker({ queues: opened.queues, sizes: opened.ticketSizes, unique: () => ids.job(now()) });
    try {
      return await work(new Intake({ ...opened, packer, settings, actor, ids, now }));
    } catch (error) {
      throw await redisFailure(error, opened.redis);
    }
  }
}

/** A list that is in memory. */
export function sourceOf(inputs: readonly unknown[]): InputSource {
  return {
    chunks: async function* () {
      for (let from = 0; from < inputs.length; from += CHUNK)
        yield await Promise.resolve(inputs.slice(from, from + CHUNK));
    },
  };
}

/** The failure of a submission of which some may have been accepted. */
function partly(failure: unknown, accepted: number, of: number): unknown {
  if (!(failure instanceof SatyapanError) || of === 1) return failure;
  const { code, message } = failure;
  if (accepted === 0 && code === ErrorCode.ID_CONFLICT) return failure;
  const why = code === ErrorCode.INTERRUPTED ? "the submission was stopped" : message;
  const text = `at least ${accepted} of ${of} jobs were accepted, then: ${why}`;
  return new SatyapanError(code, text, { cause: failure });
}

function missing(): never {
  throw new TypeError("no record for a submitted job");
}
