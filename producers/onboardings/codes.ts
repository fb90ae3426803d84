import type { Challenges } from "../../src/challenges/challenges.ts";
import { challengeOver } from "../../src/challenges/refusals.ts";
import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Onboarding } from "../../src/flows/onboarding.ts";
import { onboardingKey } from "../../src/flows/onboarding-store.ts";
import type { QueueName } from "../../src/queues/names.ts";
import type { Actor } from "../base/actor.ts";
import type { LazyConnections } from "../base/client-connections.ts";
import { queueOfSend, tryFindOnboarding, useOnboardings } from "./onboarding-rooms.ts";

/** What came of a code. */
export interface AnswerRecord {
  /** The send or onboarding that was answered. */
  readonly id: string;
  /** `kept`: its OTP was not sent yet; the code is given once it is. `same`: that code was given before. */
  readonly answer: "begun" | "same" | "kept";
  /** The job that verifies it; null while it is kept. */
  readonly verify: string | null;
}

export interface CodesDeps {
  readonly settings: Settings;
  readonly connections: LazyConnections;
  readonly actor: Actor;
}

/** The codes that persons are asked for, by onboardings and by single sends. */
export class Codes {
  readonly #deps: CodesDeps;

  constructor(deps: CodesDeps) {
    this.#deps = deps;
  }

  /**
   * Gives a code: `id` is of a send, or of an onboarding. It is verified once, in the interactive lane; one that comes before its
   * OTP was sent is kept for minutes. Throws SatyapanError with the reason where none is taken: `bad-input`, `expired`, `unknown-job`.
   */
  async answer(id: string, code: string): Promise<AnswerRecord> {
    const { actor } = this.#deps;
    return await useOnboardings(this.#deps, async ({ opened, store, challenges, engine }) => {
      const found = await tryFindOnboarding(store, id);
      if (found === null) {
        const queue = await queueOfSend(opened, id);
        const newest = await challenges.newest(queue, id);
        return answered(id, await challenges.answer(queue, newest, code, actor.name));
      }
      const { queue, onboarding } = found;
      if (onboarding.state === "running") {
        checkCode(code);
        if (await challenges.keepEarly(queue, id, onboardingKey(queue, id), code))
          return answered(id, { verify: null, isSame: false });
        return await this.answer(id, code);
      }
      if (onboarding.state !== "awaiting_otp") {
        const known = await this.#knownAnswer(queue, onboarding, challenges, code);
        if (known !== null) return answered(id, known);
        throw challengeOver(id, { kind: "over", about: onboarding.state });
      }
      const plan = async () => await engine.planVerify(queue, onboarding);
      return answered(id, await challenges.answer(queue, onboarding.job, code, actor.name, plan));
    });
  }

  /** Sends another OTP in the place of the one that is awaited; the job that sends it. Throws SatyapanError with the reason. */
  async resend(id: string): Promise<{ readonly id: string; readonly send: string }> {
    const { actor } = this.#deps;
    return await useOnboardings(this.#deps, async ({ opened, store, challenges, engine }) => {
      const found = await tryFindOnboarding(store, id);
      if (found === null) return { id, send: await challenges.resend(await queueOfSend(opened, id), id, actor.name) };
      const { queue, onboarding } = found;
      if (onboarding.state !== "awaiting_otp") throw challengeOver(id, { kind: "over", about: onboarding.state });
      const send = await challenges.resend(queue, onboarding.job, actor.name);
      await engine.advance(queue, id);
      return { id, send };
    });
  }

  /** A code that was given before gives the same answer after the end, too. */
  async #knownAnswer(queue: QueueName, { job, done }: Onboarding, challenges: Challenges, code: string) {
    for (const send of new Set([job, ...done.map((one) => one.job)])) {
      const verify = await challenges.verifyOf(queue, send, code);
      if (verify !== null) return { verify, isSame: true };
    }
    return null;
  }
}

function answered(
  id: string,
  { verify, isSame }: { readonly verify: string | null; readonly isSame: boolean },
): AnswerRecord {
  return { id, answer: verify === null ? "kept" : isSame ? "same" : "begun", verify };
}

/** No operation takes another form; which takes how many digits is checked when it is given. */
function checkCode(code: string): void {
  if (/^\d{4,8}$/.test(code)) return;
  throw new SatyapanError(ErrorCode.BAD_INPUT, "code: must be 4 to 8 digits, as text");
}
