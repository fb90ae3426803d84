/** What an operation is given to make its request, besides the input. */
export interface CallContext<S> {
  readonly settings: S;
  /** Path with `{field}` placeholders: the operation's own, or the setting that replaces it. */
  readonly path: string;
  /** This attempt's `client_ref_id`. */
  readonly clientRefId: string;
}

/** A parsed input: what is secret in it is a `Secret`. */
export type OpenInput = Readonly<Record<string, unknown>>;
