import { UNREAD, type Unread } from "../base/unread.ts";
import type { Result } from "../outcomes/outcome.ts";
import type { Lane } from "../outcomes/lane.ts";
import { parseStoredJson, storedMs, StoredResult } from "../records/stored-values.ts";
import { TERMINAL_STATES } from "../outcomes/state.ts";

/** `awaiting_otp`: a person is asked for a code. `unknown`: whether its step happened is for somebody to settle; then it goes on. */
export const ONBOARDING_STATES = ["running", "awaiting_otp", ...TERMINAL_STATES] as const;
export type OnboardingState = (typeof ONBOARDING_STATES)[number];

/** Whether it goes on no more by itself: an `unknown` one does once it is settled. */
export function isOver(state: OnboardingState): boolean {
  return state !== "running" && state !== "awaiting_otp";
}

/** What ended it; a `failed` one goes on where somebody has its job tried again. */
export function isFinal(state: OnboardingState): boolean {
  return isOver(state) && state !== "unknown";
}

/** A step that succeeded, and the job that was it. */
export interface DoneStep {
  readonly step: string;
  readonly job: string;
}

/** An onboarding as it is stored; times in ms. */
export interface Onboarding {
  readonly id: string;
  readonly flow: string;
  readonly lane: Lane;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** Keyed hashes of the person: that by which the flow knows them first. */
  readonly subjects: readonly string[];
  readonly state: OnboardingState;
  readonly step: string;
  /** The step's job; where a person is awaited, the one that the provider sent the OTP with. */
  readonly job: string;
  readonly done: readonly DoneStep[];
  readonly reason: string | null;
  readonly result: Result | null;
  readonly updatedAt: number;
  /** Somebody wants it to end: it does before its next step. */
  readonly cancel: string | null;
  readonly parent: string | null;
  /** JSON of the sealed input; null: it is needed no more. */
  readonly input: string | null;
}

const NONE = "~";

/** The part that never changes, one text of words: `flow lane created expires|~ subject,subject…|~`. */
export function packTerms({
  flow,
  lane,
  createdAt,
  expiresAt,
  subjects,
}: Pick<Onboarding, "flow" | "lane" | "createdAt" | "expiresAt" | "subjects">): string {
  return [flow, lane, createdAt, expiresAt ?? NONE, subjects.join(",") || NONE].join(" ");
}

export function packDone(done: readonly DoneStep[]): string {
  return done.map(({ step, job }) => `${step}:${job}`).join(",");
}

/** Null: there is no onboarding. */
export function parseOnboarding(id: string, fields: Readonly<Record<string, string>>): Onboarding | Unread | null {
  if (fields["terms"] === undefined || fields["state"] === undefined) return null;
  const [flow = "", lane, created, expires, subjects = NONE] = fields["terms"].split(" ");
  const state = ONBOARDING_STATES.find((known) => known === fields["state"]);
  if (state === undefined || flow === "" || Number.isNaN(Number(created))) return UNREAD;
  const done = (fields["done"] ?? "").split(",").filter((word) => word !== "");
  return {
    ...{ id, flow, lane: lane as Lane, createdAt: Number(created) },
    expiresAt: expires === NONE ? null : Number(expires),
    subjects: subjects === NONE ? [] : subjects.split(","),
    ...{ state, step: fields["step"] ?? "", job: fields["job"] ?? "" },
    done: done.map((word) => {
      const [step = "", job = ""] = word.split(":");
      return { step, job };
    }),
    reason: fields["reason"] ?? null,
    result: fields["result"] === undefined ? null : (parseStoredJson(StoredResult, fields["result"]) ?? null),
    updatedAt: storedMs(fields["updated"]) ?? 0,
    cancel: fields["cancel"] ?? null,
    parent: fields["parent"] ?? null,
    input: fields["input"] ?? null,
  };
}

/** The longest id of an onboarding: its jobs' ids, with step, send and verify, are made of it. */
export const LONGEST_ONBOARDING_ID = 40;

export function stepJobId(id: string, step: string): string {
  return `${id}-${step}`;
}
