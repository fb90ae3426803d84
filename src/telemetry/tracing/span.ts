/** One piece of what was done, when it is over. Times in ms since 1970; ids in hexadecimal digits. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  /** Of few different ones; nothing personal, no URL. */
  readonly name: string;
  /** `client`: a request to a provider; `producer`: a submission. */
  readonly kind: "internal" | "client" | "producer";
  readonly startedAt: number;
  readonly endedAt: number;
  /** Null values are left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | null>>;
  readonly isFailed: boolean;
  /** A span of another trace that it comes from. */
  readonly link?: { readonly traceId: string; readonly spanId: string };
}
