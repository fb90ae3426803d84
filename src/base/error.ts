/**
 * The codes are the contract (exit codes, logs, tests); messages may change.
 * `bad-*` and `unknown-*` are the caller's to mend, `redis-*` and `port-taken` the machine's.
 */
export const ErrorCode = {
  BAD_INPUT: "bad-input",
  BAD_FILE: "bad-file",
  BAD_SETTINGS: "bad-settings",
  BAD_USAGE: "bad-usage",
  UNKNOWN_OPERATION: "unknown-operation",
  UNKNOWN_FLOW: "unknown-flow",
  UNKNOWN_JOB: "unknown-job",
  UNKNOWN_BATCH: "unknown-batch",
  ID_CONFLICT: "id-conflict",
  EXPIRED: "expired",
  SAME_PERSON: "same-person",
  REDIS_UNREACHABLE: "redis-unreachable",
  REDIS_UNSUITABLE: "redis-unsuitable",
  REDIS_MISSING: "redis-missing",
  PORT_TAKEN: "port-taken",
  UNREADABLE: "unreadable",
  UNKNOWN_KEY: "unknown-key",
  AUDIT_BROKEN: "audit-broken",
  SHREDDED: "shredded",
  KEYS_UNREACHABLE: "keys-unreachable",
  KEY_NEEDED: "key-needed",
  WAIT_TIMEOUT: "wait-timeout",
  CLOSED: "closed",
  INTERRUPTED: "interrupted",
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** The one error type that crosses a boundary. Its message says what is wrong, where, and how to mend it; never a secret. */
export class SatyapanError extends Error {
  override readonly name = "SatyapanError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
