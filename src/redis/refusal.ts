import { ErrorCode, SatyapanError } from "../base/error.ts";

/**
 * Refusals that end by themselves, or by somebody's hand, without a change to what was asked: the same command may be sent
 * again. By the first word of Redis' answer; `CONNECTION`, `TIMEOUT` and `MAXCLIENTS` are words of ours.
 */
const PASSING: ReadonlySet<string> = new Set([
  ...["OOM", "MISCONF", "READONLY", "NOREPLICAS", "LOADING", "BUSY", "UNBLOCKED"],
  ...["CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "MOVED", "ASK"],
  ...["CONNECTION", "TIMEOUT", "MAXCLIENTS"],
]);

/** Errors of Node's sockets and resolver. Not ENOENT, which a socket shares with a file. */
const SOCKET_CODES: ReadonlySet<string> = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN"],
  ...["ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT"],
]);

/** The texts of ioredis 6 and of Node 24. */
const TIMED_OUT = /^Command timed out|^Socket timeout|ETIMEDOUT|: no answer/;
const DISCONNECTED =
  /Connection is closed|connection was closed|connection to Redis was lost|connection close$|^Stream isn't writeable|^Cluster (isn't ready|is (disconnected|disconnecting|ended))|^Node is disconnected|None of startup nodes|none of its nodes|All sentinels are unreachable|max retries per request|^Failed to refresh slots cache|^Too many Cluster redirections|socket (disconnected|has been ended|hang up)|ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|connect ENOENT/;

/** In a message that tells of another: what a script was refused (Redis 6, or caught by `pcall`), what a node said last. */
const WRAPPED = [
  // What a script of ours raised again as it was refused it.
  /^-?ERR (?:Error running script \(call to f_[0-9a-f]+\): )?(?:@user_script: ?\d+: )?-?(OOM|READONLY|NOREPLICAS|MISCONF) /,
  /@user_script: ?\d+: -?([A-Z]{2,}) /,
  // What `redisFailure` said instead of it.
  /^Redis refused a command \(([A-Z]{2,})\)/,
  /(?:Last error: (?:ReplyError: )?|be reached: )([A-Z]{2,})\b/,
];

/**
 * What Redis, or the way to it, refused a command with: the first word of its answer (`OOM`, `READONLY`, …), `CONNECTION`,
 * `TIMEOUT` or `MAXCLIENTS`; null: no refusal of Redis, so a fault of something else. Takes what a command was rejected with,
 * a SatyapanError about Redis, or the text of an error that a script caught.
 */
export function refusalWord(error: unknown): string | null {
  return wordOf(error, new Set());
}

/** `seen`: a transaction whose connection is lost hangs its one error on itself (ioredis). */
function wordOf(error: unknown, seen: ReadonlySet<unknown>): string | null {
  if (typeof error === "string") return wordOfText(error) ?? wordOfTrouble(error);
  if (!(error instanceof Error)) return null;
  const outer = new Set([...seen, error]);
  const inner = innerErrors(error).flatMap((one) => (outer.has(one) ? [] : [wordOf(one, outer)]));
  const told = inner.find((word) => word !== null && word !== "CONNECTION");
  if (told !== undefined && told !== null) return told;
  if (error.name === "ReplyError") return wordOfText(error.message) ?? "ERR";
  const said = wordOfTrouble(error.message);
  if (said !== null) return said;
  if ("code" in error && SOCKET_CODES.has(String(error.code))) {
    return error.code === "ETIMEDOUT" ? "TIMEOUT" : "CONNECTION";
  }
  if (error instanceof SatyapanError && error.code === ErrorCode.REDIS_UNREACHABLE) return "CONNECTION";
  return inner.find((word) => word !== null) ?? null;
}

/** Whether the same command may succeed later as it stands. */
export function isPassingRefusal(error: unknown): boolean {
  const word = refusalWord(error);
  return word !== null && PASSING.has(word);
}

/** For `catch`, where a server may refuse to tell: null for a refusal, by an ACL or of a command that it does not know. */
export function unlessRefused(error: unknown): null {
  if (error instanceof Error && error.name === "ReplyError") return null;
  throw error;
}

/** What ioredis and we hang on an error of the errors behind it, where its own message does not say. */
function innerErrors(error: Error): readonly unknown[] {
  const of = (key: string): unknown => (key in error ? (error as unknown as Record<string, unknown>)[key] : undefined);
  const many = [of("previousErrors"), of("errors")].flatMap((list): unknown[] => (Array.isArray(list) ? list : []));
  return [...many, of("lastNodeError"), error.cause].filter((inner) => inner instanceof Error);
}

/** The word of a server's answer. */
function wordOfText(text: string): string | null {
  return wordWithin(text) ?? /^-?([A-Z]{2,})(?= |$)/.exec(text)?.[1] ?? null;
}

/** The word of an error that no server sent, which may tell what one said. */
function wordOfTrouble(text: string): string | null {
  const word = wordWithin(text);
  if (word !== null) return word;
  if (TIMED_OUT.test(text)) return "TIMEOUT";
  return DISCONNECTED.test(text) ? "CONNECTION" : null;
}

function wordWithin(text: string): string | null {
  if (text.includes("ERR max number of clients")) return "MAXCLIENTS";
  const words = WRAPPED.map((form) => form.exec(text)?.[1]);
  return words.find((word) => word !== undefined && !SOCKET_CODES.has(word)) ?? null;
}
