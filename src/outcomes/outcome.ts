import type { NoReplyCause } from "./no-reply.ts";

/**
 * What a provider's reply said in codes. Kept in records and metrics, so nothing in it is about a person:
 * `message` is one of the provider's documented texts word for word, or our own meaning of its code, never free text.
 */
export interface ReplyFacts {
  /** HTTP status, null where no reply came. */
  readonly http_status: number | null;
  /** Eko's business code (`status` of the envelope), null for Deepvue or without an envelope. */
  readonly status: number | null;
  readonly response_status_id: number | null;
  readonly response_type_id: number | null;
  /** Deepvue's `sub_code`. */
  readonly sub_code: string | null;
  readonly message: string | null;
}

export const NO_REPLY: ReplyFacts = {
  http_status: null,
  status: null,
  response_status_id: null,
  response_type_id: null,
  sub_code: null,
  message: null,
};

/** References and masked values: what may be kept in clear and shown. */
export type Result = Readonly<Record<string, string | number | boolean | null>>;

/** What the provider told about a person (name, address, photo …): only ever sealed. */
export type Personal = Readonly<Record<string, unknown>>;

/** What exactly our own fault is about, and so what has to be held (design §3, `refused`). */
export type RefusedScope = "credential" | "user_code" | "initiator_id" | "operation";

/**
 * How an attempt ended: design §3, as data. `reason` is a short phrase of ours to show, without anything personal: nothing
 * is decided by it. `noReply` is there only where a call got no reply.
 */
export type Outcome = { readonly reply: ReplyFacts } & (
  | { readonly kind: "succeeded"; readonly result: Result; readonly personal?: Personal }
  | { readonly kind: "rejected"; readonly reason: string }
  | { readonly kind: "pending"; readonly reason: string }
  | { readonly kind: "throttled"; readonly retryAfterMs: number | null }
  | { readonly kind: "unavailable" | "unknown"; readonly reason: string; readonly noReply?: NoReplyCause }
  | { readonly kind: "refused"; readonly scope: RefusedScope; readonly reason: string }
);
export type OutcomeKind = Outcome["kind"];

export const OUTCOME_KINDS = [
  "succeeded",
  "rejected",
  "pending",
  "throttled",
  "unavailable",
  "unknown",
  "refused",
] as const satisfies readonly OutcomeKind[];
