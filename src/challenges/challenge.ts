import { challengeDeadline, MOST_SENDS, MOST_TRIES } from "../outcomes/challenge.ts";
import { isTerminal } from "../outcomes/state.ts";
import { PARENT_KINDS, parseParent } from "../records/parent.ts";
import { parseRecord } from "../records/parse-record.ts";

type Fields = Readonly<Record<string, string>>;

/** Where the challenge of a send stands; times in ms. */
export interface Challenge {
  /** `early`: its send has not settled; `checking`: a code is with the provider. */
  readonly state: "early" | "open" | "checking" | "answered" | "replaced" | "over" | "not-sent";
  /** Null: nothing was sent yet, or ever. */
  readonly deadline: number | null;
  readonly triesLeft: number;
  readonly sendsLeft: number;
  /** Null: no other can be sent. */
  readonly resendFrom: number | null;
  /** The verify that was begun last, or null. */
  readonly verify: string | null;
}

/** A send's id without the number of its OTP, and that number, from 1. */
export function sendNumber(id: string): { readonly root: string; readonly n: number } {
  const [, root = id, n = "1"] = /^(.+)-s(\d{1,3})$/.exec(id) ?? [];
  return { root, n: Number(n) };
}

/** Derived ids stay within what an id may be. */
const LONGEST_ID = 64;

/** Id of the send after this one. Null: its id leaves no room for it. */
export function nextSendId(id: string): string | null {
  const { root, n } = sendNumber(id);
  const next = `${root}-s${n + 1}`;
  return next.length > LONGEST_ID ? null : next;
}

/** The ids of this send's verifies without their numbers, `-v1` to `-v3`. Null: its id leaves no room for them. */
export function verifyName(id: string): string | null {
  return id.length + 3 > LONGEST_ID ? null : `${id}-v`;
}

/** Ids of the verifies that were begun for a send, oldest first. */
export function verifiesOf(fields: Fields): string[] {
  return (fields["codes"] ?? "").split(",").flatMap((code) => code.split(" ")[1] ?? []);
}

export interface ChallengeFacts {
  readonly now: number;
  readonly cooldownMs: number;
  /** Whether that verify is under way, or in doubt. */
  readonly isChecking: boolean;
}

/** The challenge of a send, from its record. */
export function challengeOf(id: string, fields: Fields, { now, cooldownMs, isChecking }: ChallengeFacts): Challenge {
  const record = parseRecord(id, fields);
  const verifies = verifiesOf(fields);
  const verify = verifies.at(-1) ?? null;
  const triesLeft = Math.max(0, MOST_TRIES - verifies.length);
  const sendsLeft = Math.max(0, MOST_SENDS - sendNumber(id).n);
  const none = { triesLeft, sendsLeft, verify, deadline: null, resendFrom: null };
  if (!isTerminal(record.state)) return { ...none, state: "early" };
  if (record.state !== "succeeded") return { ...none, state: "not-sent" };
  const sentAt = sentAtOf(fields, record.updated_at);
  const deadline = Math.min(challengeDeadline(record.result ?? {}, sentAt), wantedUntil(fields, record.expires_at));
  const resendFrom = sendsLeft === 0 ? null : sentAt + cooldownMs;
  const known = { ...none, deadline, resendFrom };
  if (fields["answered"] !== undefined) return { ...known, resendFrom: null, state: "answered" };
  if (fields["replaced"] !== undefined) return { ...known, resendFrom: null, state: "replaced" };
  if (isChecking) return { ...known, state: "checking" };
  return { ...known, state: now >= deadline || triesLeft === 0 ? "over" : "open" };
}

/**
 * Until when anybody wants its code, ms: what asks for the code of an onboarding's send is the onboarding, whose deadline its jobs have.
 * A single send's own deadline is for its call alone.
 */
function wantedUntil(fields: Fields, expiresAt: string | null): number {
  const isOnboardings = parseParent(fields["parent"] ?? "")?.kind === PARENT_KINDS.onboarding;
  return isOnboardings && expiresAt !== null ? Date.parse(expiresAt) : Infinity;
}

/** When the call ended that sent it, ms. */
function sentAtOf(fields: Fields, updatedAt: string): number {
  const { attempts } = parseRecord("", fields);
  return Date.parse(attempts.at(-1)?.ended_at ?? updatedAt);
}
