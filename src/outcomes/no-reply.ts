import { assertNever } from "../base/assert-never.ts";

/** Why a call has no reply. The policies go by it; texts only show it. */
export type NoReplyCause =
  /** This process ended the call while it stops, or did not send it because the time for that was over. */
  | { readonly kind: "cancelled" | "closed" | "too late" }
  /** The exchange took too long, or the reply was longer than is read. */
  | { readonly kind: "timeout" | "too large" }
  /** The code of Node, OpenSSL or undici, for example `ECONNREFUSED`. */
  | { readonly kind: "network"; readonly code: string }
  /** Something came that is no HTTP; the code of Node's parser or of undici. */
  | { readonly kind: "malformed"; readonly code: string }
  /** Any other error, by its class: `HTTPParserError`. */
  | { readonly kind: "error"; readonly name: string };

/** Whether this process ended the call or never sent it: then it says nothing about the provider, and costs nothing. */
export function isEndedByUs(cause: NoReplyCause): boolean {
  switch (cause.kind) {
    case "cancelled":
    case "closed":
    case "too late":
      return true;
    case "timeout":
    case "too large":
    case "network":
    case "malformed":
    case "error":
      return false;
    default:
      return assertNever(cause, "cause of no reply");
  }
}

/** The cause in one word, for example `ECONNREFUSED` or `timeout`. */
export function noReplyWord(cause: NoReplyCause): string {
  switch (cause.kind) {
    case "network":
    case "malformed":
      return cause.code;
    case "error":
      return cause.name;
    case "cancelled":
    case "closed":
    case "too late":
    case "timeout":
    case "too large":
      return cause.kind;
    default:
      return assertNever(cause, "cause of no reply");
  }
}
