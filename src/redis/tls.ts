import type { Secret } from "../secrets/secret.ts";

/** What a connection by `rediss://` needs beside its URL. All of it is PEM. */
export interface RedisTls {
  /** One or more authorities, and then no others; null: those that Node knows. */
  readonly ca: string | null;
  /** Null: Redis asks for no client certificate. */
  readonly client: ClientCertificate | null;
}

export interface ClientCertificate {
  /** First the client's own, then those between it and the authority. */
  readonly certificate: string;
  readonly key: Secret;
}

/** For a Redis whose certificate a known authority signed, and which asks for none. */
export const PLAIN_TLS: RedisTls = { ca: null, client: null };
