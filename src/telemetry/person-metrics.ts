import { Counter, type Gauge, type Registry } from "prom-client";
import type { OpenChallenges } from "../records/measure-challenges.ts";
import { ALIKE, MeasuredGauges } from "./measured-gauges.ts";

/**
 * What comes of an OTP. `resent` is also `sent`; a code that was given is `answered`, and `verified`, `wrong`, or `rejected` for
 * another reason. Each OTP ends once: `verified`, `expired` (nobody gave a code in time), `spent` (codes were given, and none was
 * right in time), or by the `resent` one that took its place.
 */
export const CHALLENGE_EVENTS = [
  ...(["sent", "resent", "answered", "verified", "wrong", "rejected"] as const),
  ...(["spent", "expired"] as const),
] as const;
export type ChallengeEvent = (typeof CHALLENGE_EVENTS)[number];

/** Onboardings of one queue that are not over; times in seconds. */
export interface OnboardingMeasures {
  /** How many, by flow and state. */
  readonly open: readonly { readonly flow: string; readonly state: string; readonly count: number }[];
  /** Since when, at the longest, a running one has not moved, by lane. */
  readonly unmoved: Readonly<Record<string, number>>;
  /** Since when, at the longest, one should have been looked at. */
  readonly lag: number;
}

/** What one worker measures of persons for all, of one queue. Null: something else stands where they were. */
export interface PersonMeasures {
  readonly challenges: OpenChallenges | null;
  readonly onboardings: OnboardingMeasures | null;
}

/** Persons who are waited for, and what came of them: challenges and onboardings. */
export class PersonMetrics {
  readonly #gauges: MeasuredGauges;
  readonly #events: Counter<"operation" | "event">;
  readonly #challenges: Gauge<"queue" | "left">;
  readonly #onboardings: Gauge<"flow" | "state">;
  readonly #ended: Counter<"flow" | "state">;
  readonly #unmoved: Gauge<"queue" | "lane">;
  readonly #lag: Gauge<"queue">;

  constructor(registry: Registry) {
    const gauges = new MeasuredGauges(registry);
    this.#gauges = gauges;
    const registers = [registry];
    this.#events = new Counter({
      name: "satyapan_challenges_total",
      help: "OTPs, by the operation that sent them and what came of them: sent, resent, answered, verified, wrong, rejected, spent, expired.",
      labelNames: ["operation", "event"],
      registers,
    });
    this.#challenges = gauges.gauge(
      "satyapan_challenges_open",
      `OTPs that wait for an answer, by the time that is left at most; of many told from a sample; ${ALIKE}.`,
      ["queue", "left"],
    );
    this.#onboardings = gauges.gauge(
      "satyapan_onboardings_open",
      `Onboardings that are not over, by flow and state; of many told from a sample; ${ALIKE}.`,
      ["flow", "state"],
    );
    this.#ended = new Counter({
      name: "satyapan_onboardings_ended_total",
      help: "Onboardings that this worker brought to an end, by flow and state.",
      labelNames: ["flow", "state"],
      registers,
    });
    this.#unmoved = gauges.gauge(
      "satyapan_onboarding_unmoved_seconds",
      `Since when, at the longest, a running onboarding has not moved, in seconds; 0 with none; ${ALIKE}.`,
      ["queue", "lane"],
    );
    this.#lag = gauges.gauge(
      "satyapan_onboarding_lag_seconds",
      `Since when, at the longest, an onboarding should have been looked at, in seconds; ${ALIKE}.`,
      ["queue"],
    );
  }

  /** Those of a send's are there from now on, at 0. */
  beginChallenges(operation: string): void {
    for (const event of CHALLENGE_EVENTS) this.challenge(operation, event, 0);
  }

  beginOnboardings(flow: string, states: readonly string[]): void {
    for (const state of states) this.#ended.inc({ flow, state }, 0);
  }

  /** `operation`: the send's. */
  challenge(operation: string, event: ChallengeEvent, times = 1): void {
    this.#events.inc({ operation, event }, times);
  }

  onboardingEnded(flow: string, state: string): void {
    this.#ended.inc({ flow, state });
  }

  /** Shows this and nothing else, by queue. */
  show(all: ReadonlyMap<string, PersonMeasures>): void {
    this.#gauges.clear();
    for (const [queue, { challenges, onboardings }] of all) {
      for (const [left, count] of Object.entries(challenges ?? {})) this.#challenges.set({ queue, left }, count);
      if (onboardings === null) continue;
      for (const { flow, state, count } of onboardings.open) this.#onboardings.set({ flow, state }, count);
      for (const [lane, seconds] of Object.entries(onboardings.unmoved)) this.#unmoved.set({ queue, lane }, seconds);
      this.#lag.set({ queue }, onboardings.lag);
    }
  }
}
