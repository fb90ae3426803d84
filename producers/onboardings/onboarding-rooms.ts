import { isHeld } from "../../src/batches/held.ts";
import { Challenges } from "../../src/challenges/challenges.ts";
import { challengeOver } from "../../src/challenges/refusals.ts";
import type { Settings } from "../../src/config/settings.ts";
import { Engine } from "../../src/flows/engine.ts";
import type { Onboarding } from "../../src/flows/onboarding.ts";
import { OnboardingStore } from "../../src/flows/onboarding-store.ts";
import { type QueueName, QUEUES } from "../../src/queues/names.ts";
import type { ClientConnections, LazyConnections } from "../base/client-connections.ts";
import { type OnboardingRecord, onboardingRecord } from "./onboarding-record.ts";

/** What onboardings and the codes that they are asked for are looked after with. */
export interface OnboardingRooms {
  readonly opened: ClientConnections;
  readonly store: OnboardingStore;
  readonly challenges: Challenges;
  readonly engine: Engine;
}

export interface FoundOnboarding {
  readonly queue: QueueName;
  readonly onboarding: Onboarding;
}

export async function useOnboardings<T>(
  { settings, connections }: { readonly settings: Settings; readonly connections: LazyConnections },
  work: (rooms: OnboardingRooms) => Promise<T>,
): Promise<T> {
  return await connections.use(async (opened) => {
    const { redis, records, queues, dataKeys } = opened;
    const store = new OnboardingStore(redis, settings.retention);
    const deps = {
      ...{ redis, records, queues, dataKeys, settings, subjectKey: settings.subjectKey },
      ...{ cooldownMs: settings.otp.cooldownMs, now: () => connections.clock.now() },
    };
    const challenges = new Challenges(deps);
    const held = async (queue: QueueName, onboarding: Onboarding): Promise<boolean> =>
      await isHeld(redis, queue, onboarding);
    const engine = new Engine({ ...deps, onboardings: store, challenges, isHeld: held });
    return await work({ opened, store, challenges, engine });
  });
}

/** Throws SatyapanError `unknown-job`. */
export async function findOnboarding(store: OnboardingStore, id: string): Promise<FoundOnboarding> {
  const found = await tryFindOnboarding(store, id);
  if (found === null) throw challengeOver(id, { kind: "missing" });
  return found;
}

/** Null: there is none of this id. */
export async function tryFindOnboarding(store: OnboardingStore, id: string): Promise<FoundOnboarding | null> {
  for (const queue of QUEUES) {
    const onboarding = await store.get(queue, id);
    if (onboarding !== null) return { queue, onboarding };
  }
  return null;
}

export async function withChallenge(
  challenges: Challenges,
  queue: QueueName,
  onboarding: Onboarding,
): Promise<OnboardingRecord> {
  const isAwaited = onboarding.state === "awaiting_otp";
  return onboardingRecord(onboarding, isAwaited ? await challenges.get(queue, onboarding.job) : null);
}

/** Throws SatyapanError `unknown-job`. */
export async function queueOfSend({ records }: ClientConnections, id: string): Promise<QueueName> {
  for (const queue of QUEUES) {
    const [state = null] = await records.states(queue, [id]);
    if (state !== null) return queue;
  }
  throw challengeOver(id, { kind: "missing" });
}
