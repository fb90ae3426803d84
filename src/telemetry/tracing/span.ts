/** One piece of what was done, when it is over. Times in ms since 1970; ids in hexadecimal digits. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  /** Of few different ones; nothing personal, no URL. */
  readonly name: string;
  /** `client`: a request to a provider. */
  readonly kind: "internal" | "client";
  readonly startedAt: number;
  readonly endedAt: number;
  /** Null values are left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | null>>;
  readonly isFailed: boolean;
}
