import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Batch } from "../../src/batches/batch.ts";
import { PERSON_ENDS, type PersonEnd } from "../../src/batches/person-ends.ts";
import { type Decided, SEAT_MS, type SeatStore } from "../../src/batches/seat-store.ts";
import { challengeOver } from "../../src/challenges/refusals.ts";
import type { Move } from "../../src/flows/onboarding-store.ts";
import { isWrongCode } from "../../src/outcomes/challenge.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { waitUntil } from "../base/wait-until.ts";
import { unknownJob } from "../jobs/find-job.ts";
import { readRecords } from "../jobs/read-records.ts";
import type { Codes } from "../onboardings/codes.ts";
import { findOnboarding, useOnboardings } from "../onboardings/onboarding-rooms.ts";
import type { SenderFacts } from "./read-sender.ts";
import type { SeatDeps } from "./seat-deps.ts";

/** What came of a code. */
export type Verdict =
  | { readonly kind: "right" }
  | { readonly kind: "wrong"; readonly tries_left: number }
  /** No other code is taken: the reason says why. */
  | { readonly kind: "over"; readonly reason: string }
  /** Somebody else has the sender by now: nothing was done. */
  | { readonly kind: "lost" };

/** A sender to talk to. Whatever ends the talk makes room for the next; `lost` of it: another seat has the sender by now. */
export interface Sender extends SenderFacts {
  /** Gives the code, once, and waits for what the provider says. Throws SatyapanError `bad-input` for what is no code. */
  answer(code: string): Promise<Verdict>;
  /** Back into line, behind a minute. */
  later(): Promise<"done" | "lost">;
  /** The row ends as `rejected`, with that code, and with the operator's name in the audit log. */
  wrongNumber(): Promise<"done" | "lost">;
  refused(): Promise<"done" | "lost">;
}

export interface TalkDeps extends SeatDeps {
  readonly codes: Codes;
  readonly seats: SeatStore;
  readonly batch: Batch;
  readonly token: string;
  readonly sender: SenderFacts;
  /** Aborted, what the provider says is not waited for. */
  readonly signal: AbortSignal | undefined;
}

/** A sender is not handed over again before, who was to be talked to later; in ms. */
const LATER_MS = 60_000;
/** A row that has had its answer is nobody's until that is written down, in ms. */
const DONE_MS = 5_000;
/** The longest that the provider's word about a code is waited for, in ms. */
const VERDICT_MS = 60_000;

/** One sender, whom one seat has: it says so again and again while it does. */
export class Talk implements Sender {
  readonly row: number;
  readonly ref: string | null;
  readonly onboarding: string;
  readonly number: string | null;
  readonly deadline: string;
  readonly tries_left: number;
  readonly #deps: TalkDeps;
  readonly #renewing: NodeJS.Timeout;
  #isOver = false;

  constructor(deps: TalkDeps) {
    this.#deps = deps;
    const { row, ref, onboarding, number, deadline, tries_left } = deps.sender;
    this.row = row;
    this.ref = ref;
    this.onboarding = onboarding;
    this.number = number;
    this.deadline = deadline;
    this.tries_left = tries_left;
    // What it cannot say in time, the next step finds out.
    this.#renewing = setInterval(() => void this.#keeps().catch(() => {}), SEAT_MS / 3).unref();
  }

  async answer(code: string): Promise<Verdict> {
    const { codes, connections, signal } = this.#deps;
    if (!/^\d{4,8}$/.test(code)) throw bad("code: must be 4 to 8 digits, as text");
    if (!(await this.#keeps())) return { kind: "lost" };
    let verify: string | null;
    try {
      ({ verify } = await codes.answer(this.onboarding, code));
    } catch (error) {
      if (!(error instanceof SatyapanError) || !OVER.has(error.code)) throw error;
      const challenge = await this.#challenge();
      // A form that the operation does not take costs no try.
      if (challenge?.state === "open") throw error;
      return await this.#over(error.message, null);
    }
    const awaited = {
      id: verify ?? this.onboarding,
      read: async (): Promise<JobRecord> => {
        const [record = null] = await connections.use(async (opened) => await readRecords(opened, [verify ?? ""]));
        if (record === null) throw unknownJob(verify ?? this.onboarding);
        return record;
      },
      isThere: ({ state }: JobRecord): boolean => isTerminal(state),
      stillOpen: () => "the provider has not said whether the code is right",
    };
    const options = { timeoutMs: VERDICT_MS, ...(signal === undefined ? {} : { signal }) };
    const record = await waitUntil(connections, () => performance.now(), awaited, options);
    if (record.state === "succeeded") {
      await this.#giveBack(DONE_MS, { decision: "code_right", verify });
      return { kind: "right" };
    }
    const challenge = isWrongCode(record.reason) ? await this.#challenge() : null;
    if (challenge?.state === "open") {
      await this.#keeps({ decision: "code_wrong", verify });
      return { kind: "wrong", tries_left: challenge.triesLeft };
    }
    return await this.#over(record.reason ?? `the verify is ${record.state}`, verify);
  }

  async later(): Promise<"done" | "lost"> {
    return (await this.#giveBack(LATER_MS, { decision: "later", verify: null })) ? "done" : "lost";
  }

  async wrongNumber(): Promise<"done" | "lost"> {
    return await this.#end("wrong-number");
  }

  async refused(): Promise<"done" | "lost"> {
    return await this.#end("refused");
  }

  /** Goes back into line at once where nothing was decided. */
  async leave(): Promise<void> {
    clearInterval(this.#renewing);
    // Where Redis is away, it goes back by itself.
    if (!this.#isOver) await this.#giveBack(0).catch(() => {});
  }

  async #end(how: PersonEnd): Promise<"done" | "lost"> {
    if (!(await this.#keeps())) return "lost";
    const { actor } = this.#deps;
    await useOnboardings(this.#deps, async ({ store, challenges }) => {
      const { queue, onboarding } = await findOnboarding(store, this.onboarding);
      const { step, job, done, flow, subjects, state } = onboarding;
      if (state !== "awaiting_otp") throw challengeOver(this.onboarding, { kind: "over", about: state });
      const challenge = await challenges.get(queue, job);
      if (challenge?.state === "checking") throw bad("a code of this person is being checked: wait for that");
      const now = actor.now();
      const at = new Date(now).toISOString();
      const subject = subjects[0] ?? null;
      const entry = { at, kind: "cancel", actor: actor.name, job: this.onboarding, operation: flow, subject } as const;
      const to: Move = {
        ...{ state: "rejected", step, job, done, reason: PERSON_ENDS[how], result: null, lookAt: now },
        // A code that another brought meanwhile is being verified: that decides.
        seenVerify: challenge?.verify ?? null,
      };
      const moved = await store.move(queue, onboarding, to, now, { ...entry, reason: PERSON_ENDS[how] });
      if (moved !== "done") throw challengeOver(this.onboarding, { kind: "over", about: "somewhere else by now" });
    });
    await this.#giveBack(DONE_MS, { decision: how === "refused" ? "refused" : "wrong_number", verify: null });
    return "done";
  }

  async #over(reason: string, verify: string | null): Promise<Verdict> {
    await this.#giveBack(DONE_MS, { decision: "code_over", verify });
    return { kind: "over", reason };
  }

  async #challenge() {
    return await useOnboardings(this.#deps, async ({ store, challenges }) => {
      const { queue, onboarding } = await findOnboarding(store, this.onboarding);
      return onboarding.state === "awaiting_otp" ? await challenges.get(queue, onboarding.job) : null;
    });
  }

  async #keeps(decided: Decided | null = null): Promise<boolean> {
    const { seats, batch, token, actor, connections } = this.#deps;
    return await connections.use(async () => await seats.keep(batch, this.row, token, actor.now(), decided));
  }

  async #giveBack(afterMs: number, decided: Decided | null = null): Promise<boolean> {
    const { seats, batch, token, actor, connections } = this.#deps;
    this.#isOver = true;
    clearInterval(this.#renewing);
    const from = actor.now() + afterMs;
    return await connections.use(async () => await seats.giveBack(batch, this.row, token, from, decided));
  }
}

const OVER: ReadonlySet<string> = new Set([ErrorCode.BAD_INPUT, ErrorCode.EXPIRED, ErrorCode.UNKNOWN_JOB]);

function bad(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}
