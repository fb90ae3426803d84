import type { Challenges, ChallengesDeps, VerifyPlan } from "../challenges/challenges.ts";
import { assertNever } from "../base/assert-never.ts";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { UNREAD } from "../base/unread.ts";
import { Entrance } from "../entry/entrance.ts";
import { InputCheck } from "../entry/input-check.ts";
import { findOperation } from "../operations/catalogue.ts";
import { clearValues } from "../privacy/sealing/clear-values.ts";
import type { Opener } from "../privacy/sealing/opener.ts";
import { resultScope } from "../privacy/sealing/data-key.ts";
import type { QueueName } from "../queues/names.ts";
import { packParent, PARENT_KINDS } from "../records/parent.ts";
import { parseRecord } from "../records/parse-record.ts";
import { openInput, openPersonal } from "../records/sealed-input.ts";
import type { Flow, Step } from "./flow.ts";
import { findFlow, isFlow } from "./flows.ts";
import { cancelStrange, type NextStep, nextStep, type SeenFacts, type SeenJob } from "./next-step.ts";
import { isFinal, isOver, type Onboarding } from "./onboarding.ts";
import type { Move, OnboardingStore } from "./onboarding-store.ts";

/** The moments between two of the engine's writes, at which a test may kill it. */
export type EnginePoint = "decided" | "moved" | "entered" | "answered";

export interface EngineDeps extends ChallengesDeps {
  readonly onboardings: OnboardingStore;
  readonly challenges: Challenges;
  /** Told once of each onboarding that is over: from where it was, and where it went. */
  readonly onOver?: ((queue: QueueName, onboarding: Onboarding, move: Move, at: number) => void) | undefined;
  /** Whether whoever an onboarding is a part of wants no further call for it now. What was called goes on. */
  readonly isHeld: (queue: QueueName, onboarding: Onboarding) => Promise<boolean>;
  readonly atPoint?: ((point: EnginePoint) => void) | undefined;
}

type Fields = Readonly<Record<string, string>>;

/** Steps taken in one go: more than any flow has. */
const MOST_STEPS = 32;
const ACTOR = "worker";
/** Between two looks at one that is held, in ms. */
const HELD_MS = 2_000;
/** Until an onboarding of a newer version is looked at again, in ms. */
const UNREAD_MS = 30_000;

/**
 * Takes onboardings on. It looks at how the step's job stands and does what follows, so that it may be called for one as often as
 * anybody likes: what is told of a job is only the hint to look. The intent to make a job is written before it is made, under an id
 * that follows from it.
 */
export class Engine {
  readonly #deps: EngineDeps;
  readonly #entrance: Entrance;
  readonly #check: InputCheck;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    const { records, dataKeys, settings, now } = deps;
    this.#entrance = new Entrance(deps);
    this.#check = new InputCheck({
      fieldsOfMany: async (queue, ids) => await records.fieldsOfMany(queue, ids),
      opener: async (texts) => await dataKeys.opener(texts),
      ...{ settings, now },
    });
  }

  /** Rejects where Redis or the keys are away, or only another version knows its flow: then it is to be called again. */
  async advance(queue: QueueName, id: string): Promise<void> {
    const { onboardings, now, atPoint, onOver } = this.#deps;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const [onboarding = null] = await onboardings.getMany(queue, [id]);
      if (onboarding === UNREAD) {
        await onboardings.lookAt(queue, id, now() + UNREAD_MS);
        return;
      }
      const isGone =
        onboarding !== null && isOver(onboarding.state) && (await onboardings.letInputGo(queue, onboarding, now()));
      if (onboarding === null || (isFinal(onboarding.state) && (isGone || onboarding.state !== "failed"))) {
        await onboardings.forgetDue(queue, id);
        return;
      }
      const next = await this.#next(queue, onboarding);
      atPoint?.("decided");
      const move = next.kind === "move" ? next.move : await this.#act(queue, onboarding, next);
      if (move === null) return;
      const at = now();
      const moved = await onboardings.move(queue, onboarding, move, at);
      if (moved === "done" && isOver(move.state) && move.state !== onboarding.state)
        onOver?.(queue, onboarding, move, at);
      atPoint?.("moved");
    }
  }

  async #next(queue: QueueName, onboarding: Onboarding): Promise<NextStep> {
    const { flow: name, step, cancel } = onboarding;
    if (cancel !== null && !isFlow(name)) return cancelStrange(onboarding, await this.#see(queue, onboarding, true));
    const flow = findFlow(name);
    return nextStep(flow, onboarding, await this.#see(queue, onboarding, flow.steps[step]?.code !== undefined));
  }

  /** Null: nothing is left to do now. */
  async #act(
    queue: QueueName,
    onboarding: Onboarding,
    next: Exclude<NextStep, { kind: "move" }>,
  ): Promise<Move | null> {
    const { onboardings, records, challenges, isHeld, now, atPoint } = this.#deps;
    const { id, job, cancel } = onboarding;
    switch (next.kind) {
      case "nothing":
        return null;
      case "wait":
        await onboardings.lookAt(queue, id, next.until);
        return null;
      case "enter": {
        if (await isHeld(queue, onboarding)) {
          await onboardings.lookAt(queue, id, now() + HELD_MS);
          return null;
        }
        const failed = await this.#enter(queue, onboarding);
        atPoint?.("entered");
        return failed === null ? null : failedMove(onboarding, failed, now());
      }
      case "queue": {
        const step = findFlow(onboarding.flow).steps[onboarding.step];
        const lane = step?.code === undefined ? onboarding.lane : "interactive";
        if (step !== undefined) await this.#entrance.queue(findOperation(step.operation), next.job, lane);
        await onboardings.lookAt(queue, id, now() + 30_000);
        return null;
      }
      case "abandon":
        // One that was taken meanwhile ends by itself, and then no other follows.
        await records.abandon(queue, job, "cancelled", cancel ?? "cancelled", now());
        return null;
      case "answer": {
        const code = await challenges.early(queue, id);
        if (code === null) return null;
        await this.#answerEarly(queue, onboarding, code);
        atPoint?.("answered");
        await challenges.dropEarly(queue, id);
        await onboardings.lookAt(queue, id, now() + 30_000);
        return null;
      }
      default:
        return assertNever(next, "next step");
    }
  }

  /** `awaits`: a person may be awaited there. */
  async #see(queue: QueueName, onboarding: Onboarding, awaits: boolean): Promise<SeenFacts> {
    const { records, challenges, now } = this.#deps;
    const fields = await records.fields(queue, onboarding.job);
    const job = seen(onboarding.job, fields);
    if (!awaits || job === null) {
      return { now: now(), job, challenge: null, verify: null, hasEarlyCode: false };
    }
    const challenge = await challenges.get(queue, onboarding.job);
    const verifyId = challenge?.verify ?? null;
    const verify = verifyId === null ? null : seen(verifyId, await records.fields(queue, verifyId));
    const hasEarlyCode = verify === null && (await challenges.hasEarly(queue, onboarding.id));
    return { now: now(), job, challenge, verify, hasEarlyCode };
  }

  /** Makes the job of a step. Why it can never be made, or null. */
  async #enter(queue: QueueName, onboarding: Onboarding): Promise<string | null> {
    const flow = findFlow(onboarding.flow);
    const step = flow.steps[onboarding.step];
    if (step === undefined || onboarding.input === null) return "its input is no longer kept";
    const { id, job, lane, expiresAt } = onboarding;
    try {
      const { input, scope } = await this.#inputOf(queue, flow, onboarding, step);
      const checked = await this.#check.check(step.operation, input, null);
      const parent = packParent({ kind: PARENT_KINDS.onboarding, of: id, part: onboarding.step });
      const entered = await this.#entrance.enter(checked, { id: job, lane, expiresAt, scope, actor: ACTOR, parent });
      return entered === "conflict" ? `the id ${job} names another job` : null;
    } catch (error) {
      if (error instanceof SatyapanError && NEVER.has(error.code)) return `${error.code}: ${error.message}`;
      throw error;
    }
  }

  async #answerEarly(queue: QueueName, onboarding: Onboarding, code: string): Promise<void> {
    const { challenges } = this.#deps;
    try {
      await challenges.answer(queue, onboarding.job, code, ACTOR, async () => await this.planVerify(queue, onboarding));
    } catch (error) {
      // A code that is none is told to nobody: whoever gave it sees that one is still awaited.
      if (!(error instanceof SatyapanError) || !NEVER.has(error.code)) throw error;
    }
  }

  /** How the code of the step where this onboarding stands is verified. */
  async planVerify(queue: QueueName, onboarding: Onboarding): Promise<VerifyPlan> {
    const flow = findFlow(onboarding.flow);
    const step = flow.steps[onboarding.step];
    if (step?.code === undefined) throw new TypeError(`the step ${onboarding.step} awaits nobody`);
    const { input } = await this.#inputOf(queue, flow, onboarding, step);
    const parent = packParent({ kind: PARENT_KINDS.onboarding, of: onboarding.id, part: onboarding.step });
    return { operation: findOperation(step.operation), input, parent };
  }

  /** What a step's operation is given, in clear: it is never kept. */
  async #inputOf(queue: QueueName, flow: Flow, onboarding: Onboarding, step: Step) {
    const { dataKeys, records, now } = this.#deps;
    const { id, input: sealed } = onboarding;
    const done = onboarding.done.toReversed();
    const before =
      step.newest === undefined
        ? []
        : await records.fieldsOfMany(
            queue,
            done.map(({ job }) => job),
          );
    const opener = await dataKeys.opener([sealed ?? "", ...before.map((fields) => fields?.["personal"] ?? "")]);
    const given = clearValues(openInput(opener, flow, id, sealed ?? ""));
    const operation = findOperation(step.operation);
    const fromSend = step.code === "of" ? (operation.of?.takes ?? {}) : {};
    const own = Object.entries(given).filter(
      ([field, value]) => field in operation.input.shape && !(field in fromSend) && value !== undefined,
    );
    const results = before.map((fields, index) => resultOf(opener, done[index]?.job ?? "", fields));
    const newest = (step.newest ?? []).flatMap((field) => {
      const value = results
        .map((result) => result[field])
        .find((one) => one !== undefined && one !== null && one !== "");
      return value === undefined ? [] : [[field, value] as const];
    });
    const input = {
      ...Object.fromEntries([...own, ...newest]),
      ...step.fixed,
      ...(step.code === "of" ? { of: onboarding.job } : {}),
    };
    return { input, scope: resultScope(opener.scopeOf(sealed ?? ""), now()) };
  }
}

/** What no later try could mend. */
const NEVER: ReadonlySet<string> = new Set([
  ...[ErrorCode.BAD_INPUT, ErrorCode.EXPIRED, ErrorCode.SHREDDED, ErrorCode.UNREADABLE],
  ...[ErrorCode.UNKNOWN_JOB, ErrorCode.ID_CONFLICT],
]);

function failedMove({ step, job, done }: Onboarding, reason: string, now: number): Move {
  return { state: "failed", step, job, done, reason, result: null, lookAt: now };
}

function seen(id: string, fields: Fields | null): SeenJob | null {
  if (fields === null) return null;
  const { state, reason, result } = parseRecord(id, fields);
  return { id, state, reason, result, replacedBy: fields["replaced"] ?? null };
}

/** A job's references: one that repeats a number of the person is in its personal part. */
function resultOf(opener: Opener, id: string, fields: Fields | null): Readonly<Record<string, unknown>> {
  if (fields === null) return {};
  const { operation, result } = parseRecord(id, fields);
  const sealed = fields["personal"];
  const personal = sealed === undefined ? {} : openPersonal(opener, findOperation(operation), id, sealed);
  return { ...personal, ...result };
}
