import type { Lane } from "../outcomes/lane.ts";
import { subjectOf, subjectsOf } from "../operations/subject.ts";
import type { Sealer } from "../privacy/sealing/sealed-text.ts";
import type { OpenInput } from "../providers/call.ts";
import { sealInput } from "../records/sealed-input.ts";
import type { Secret } from "../secrets/secret.ts";
import { inputDigest } from "../secrets/subject-key.ts";
import type { Flow } from "./flow.ts";
import { stepJobId } from "./onboarding.ts";
import type { NewOnboarding } from "./onboarding-store.ts";

export interface OnboardingTerms {
  /** At most `LONGEST_ONBOARDING_ID` characters. */
  readonly id: string;
  readonly lane: Lane;
  /** Times in ms. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** Who is told of each change of its state (`packParent`); null: nobody. */
  readonly parent: string | null;
}

/** An input of a flow, checked by `parseInput`, as the onboarding that enters (`OnboardingStore.begin`), sealed. */
export function newOnboarding(
  flow: Flow,
  input: OpenInput,
  subjectKey: Secret,
  sealer: Sealer,
  terms: OnboardingTerms,
): NewOnboarding {
  const first = subjectOf(subjectKey, flow, input);
  const all = subjectsOf(subjectKey, input);
  return {
    ...terms,
    flow: flow.name,
    subjects: first === null ? all : [first, ...all.filter((subject) => subject !== first)],
    step: flow.first,
    job: stepJobId(terms.id, flow.first),
    input: sealInput(sealer, flow, terms.id, input),
    digest: inputDigest(subjectKey, flow.name, input),
  };
}
