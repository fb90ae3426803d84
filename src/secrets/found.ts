/** `secret`: a key or credential of ours; `canary`: what was planted to be looked for. */
export type FoundKind = "aadhaar" | "secret" | "canary";

/** Something in a text that must not be there; never its clear value. */
export interface Found {
  readonly kind: FoundKind;
  /** What it is: `Aadhaar-like number`, or the name it was given (`eko.accessKey`, `canary 2`), and in which form. */
  readonly what: string;
  /** Its mask. */
  readonly shown: string;
  /** From where to where in the text. */
  readonly at: number;
  readonly end: number;
}

/** Where a finding is, in words that may be printed. */
export interface Finding {
  /** `redis`, `file` or `page`: bounded, for metrics. */
  readonly source: FindingSource;
  /** `satyapan:{eko-0}:job:… field input`, `redis.log:1234`; whatever is secret in it is masked. */
  readonly place: string;
  readonly kind: FoundKind;
  readonly what: string;
  readonly shown: string;
}

export type FindingSource = "redis" | "file" | "page";
