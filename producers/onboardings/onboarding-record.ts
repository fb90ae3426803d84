import type { Challenge } from "../../src/challenges/challenge.ts";
import type { Lane } from "../../src/outcomes/lane.ts";
import type { Result } from "../../src/outcomes/outcome.ts";
import type { Onboarding, OnboardingState } from "../../src/flows/onboarding.ts";

/** An OTP that is awaited, or on its way; times ISO 8601, UTC. */
export interface ChallengeRecord {
  readonly state: Challenge["state"];
  /** Null: it was not sent yet. */
  readonly deadline: string | null;
  readonly tries_left: number;
  readonly sends_left: number;
  /** From when another may be sent; null: none. */
  readonly resend_from: string | null;
}

/** What is kept and shown of an onboarding. Holds references and masks, nothing personal in clear. */
export interface OnboardingRecord {
  readonly id: string;
  readonly flow: string;
  readonly lane: Lane;
  readonly state: OnboardingState;
  /** Where it stands, or stood when it ended. */
  readonly step: string;
  /** The job of that step. */
  readonly job: string;
  readonly reason: string | null;
  /** That of the last step; null before the end. */
  readonly result: Result | null;
  /** Only while a person is awaited. */
  readonly challenge: ChallengeRecord | null;
  /** Steps that succeeded, in order, with their jobs. */
  readonly steps: readonly { readonly step: string; readonly job: string }[];
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** Its trace; only where traces are kept (`OTEL_EXPORTER_OTLP_ENDPOINT`), and this one is. */
  readonly trace_id?: string;
  /** Set on the answer to `onboard` whose id was there before. */
  readonly duplicate?: true;
}

export function onboardingRecord(onboarding: Onboarding, challenge: Challenge | null): OnboardingRecord {
  const { id, flow, lane, state, step, job, reason, result, done, expiresAt, createdAt, updatedAt } = onboarding;
  return {
    ...{ id, flow, lane, state, step, job, reason, result },
    challenge: challenge === null ? null : challengeRecord(challenge),
    steps: done,
    expires_at: iso(expiresAt),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  };
}

export function challengeRecord({ state, deadline, triesLeft, sendsLeft, resendFrom }: Challenge): ChallengeRecord {
  return {
    ...{ state, deadline: iso(deadline), tries_left: triesLeft, sends_left: sendsLeft },
    resend_from: iso(resendFrom),
  };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
