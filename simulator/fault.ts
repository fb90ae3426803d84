import { z } from "zod";

/**
 * What can go wrong on demand. `instead`: that reply is given and nothing is done (unless the rule says `committed`).
 * `after`: the call is carried out, then the reply is spoilt. A fault that an operation cannot have is passed over.
 */
export const FAULTS = {
  // The person's own.
  "mobile-not-linked": "instead",
  "invalid-number": "instead",
  "validation-failed": "instead",
  "already-pending": "instead",
  "wrong-otp": "instead",
  "expired-otp": "instead",
  // The provider's or our account's, documented.
  "temporary-failure": "instead",
  unavailable: "instead",
  throttled: "instead",
  "bad-credentials": "instead",
  "account-inactive": "instead",
  "unknown-initiator": "instead",
  "agent-not-allowed": "instead",
  // Replies that no table of codes reads.
  "message-only": "instead",
  "bad-gateway": "instead",
  empty: "instead",
  "html-page": "instead",
  "wrong-types": "after",
  // The wire's.
  slow: "after",
  "drop-after-commit": "after",
  "reset-before-commit": "instead",
  "cut-short": "after",
  "never-ending": "after",
  "huge-body": "after",
} as const satisfies Readonly<Record<string, "instead" | "after">>;
export type FaultName = keyof typeof FAULTS;

const FAULT_NAMES = Object.keys(FAULTS).filter((name): name is FaultName => name in FAULTS);

const STEPS = ["send", "verify", "read", "create"] as const;
/** What a call does to a person. */
export type SimulatedStep = (typeof STEPS)[number];

/** Which calls a fault strikes. Every condition that is given must hold; `times` and `every` count the calls it holds for. */
export const FaultRule = z.strictObject({
  fault: z.enum(FAULT_NAMES),
  /** For example `deepvue.aadhaar-otp`; a prefix that ends in a dot (`eko.`) means all below it. */
  operation: z.string().min(1).optional(),
  steps: z.array(z.enum(STEPS)).min(1).optional(),
  /** Last digits of the person's Aadhaar or mobile number. */
  match: z
    .string()
    .regex(/^\d{1,12}$/)
    .optional(),
  /** What `times` and `every` count: the calls for one person and operation, or all calls of the rule. Default `rule`. */
  per: z.enum(["rule", "person"]).default("rule"),
  /** The number of calls that it strikes, from the first on. */
  times: z.int().positive().optional(),
  /** Only each so-manyth call. */
  every: z.int().positive().optional(),
  /** 0–1. */
  probability: z.number().min(0).max(1).optional(),
  /** Carries the call out first, where the fault is of the `instead` kind. */
  committed: z.boolean().default(false),
  /** Delay of `slow`. Default 5,000 ms. */
  ms: z.int().nonnegative().default(5_000),
  /** Size of `huge-body`. Default 8 MB. */
  bytes: z.int().positive().default(8_000_000),
});
export type FaultRule = z.output<typeof FaultRule>;
