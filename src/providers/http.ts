import type { NoReplyCause } from "../outcomes/no-reply.ts";

/** One HTTP request, ready to be written. Its path and query hold personal data: it is never logged, thrown or kept. */
export interface HttpCall {
  readonly method: "GET" | "POST" | "PUT";
  /** Scheme, host and port, for example `https://api.eko.in`. */
  readonly origin: string;
  /** Path with query string. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null where the call has no body. */
  readonly body: string | null;
}

/** What came back. `none` = no reply; `written` = whether a byte of the request may have reached the provider. */
export type HttpReply =
  | {
      readonly kind: "reply";
      readonly status: number;
      /** Lower-cased names. */
      readonly headers: Readonly<Record<string, string>>;
      /** The body as UTF-8 text; null where it was cut off, too large or never ended. */
      readonly text: string | null;
      /** The time that the request was signed with, if it was, is not the provider's, as this reply tells: the next one is signed with that. */
      readonly wasSignedOffTime?: true;
    }
  | { readonly kind: "none"; readonly written: boolean; readonly cause: NoReplyCause };

/** What an operation asks for, before its provider adds origin, credentials and signature. */
export interface ProviderRequest {
  readonly method: HttpCall["method"];
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | null;
}
