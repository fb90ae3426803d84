import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Secret } from "../secrets/secret.ts";
import { Complaint, textSchema, type TextSchema } from "../base/text.ts";
import type { RedisTls } from "./tls.ts";
import { parseRedisUrl, usesTls } from "./url.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** One or more certificates, as PEM. */
export const certificatesSchema: TextSchema<string> = textSchema("certificates, PEM", (text) => {
  const found = withLineEnds(text).match(CERTIFICATE) ?? [];
  if (text.includes("PRIVATE KEY")) return new Complaint("must be certificates only: take the private key out of here");
  if (found.length === 0)
    return new Complaint("must be a certificate in PEM: it begins with -----BEGIN CERTIFICATE-----");
  const place = found.findIndex((pem) => read(() => new X509Certificate(pem)) === undefined);
  return place === -1
    ? `${found.join("\n")}\n`
    : new Complaint(`holds a certificate that cannot be read: number ${place + 1}`);
});

/** A private key, as PEM, not encrypted. No message repeats it. */
export const privateKeySchema: TextSchema<Secret> = textSchema("private key, PEM", (text) => {
  const pem = withLineEnds(text);
  if (/ENCRYPTED/.test(pem)) {
    return new Complaint("must not be encrypted with a passphrase: `openssl pkey -in FILE -out NEW` takes it off");
  }
  if (read(() => createPrivateKey(pem)) !== undefined) return new Secret(pem);
  return new Complaint("must be a private key in PEM: it begins with -----BEGIN PRIVATE KEY-----");
});

/** The settings about TLS that were given and could be read. */
export interface TlsValues {
  readonly REDIS_TLS_CA?: string | undefined;
  readonly REDIS_TLS_CERT?: string | undefined;
  readonly REDIS_TLS_KEY?: Secret | undefined;
}

export function redisTlsOf({ REDIS_TLS_CA: ca, REDIS_TLS_CERT: certificate, REDIS_TLS_KEY: key }: TlsValues): RedisTls {
  return { ca: ca ?? null, client: certificate === undefined || key === undefined ? null : { certificate, key } };
}

/** A line for each that does not fit the others, or is out of date at `now` (ms). `urls`: all that may use them. */
export function* tlsProblems(values: TlsValues, urls: readonly Secret[], now: number): Iterable<string> {
  const { REDIS_TLS_CA: ca, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = values;
  const [given] = Object.entries({ REDIS_TLS_CA: ca, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key }).filter(
    ([, value]) => value !== undefined,
  );
  if (given !== undefined && !urls.some(isTls)) {
    yield `${given[0]} is set, but REDIS_URL does not use TLS: begin it with rediss:// (rediss+sentinel://, rediss+cluster://)`;
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [missing, other] =
      cert === undefined ? ["REDIS_TLS_CERT", "REDIS_TLS_KEY"] : ["REDIS_TLS_KEY", "REDIS_TLS_CERT"];
    yield `${missing} is missing, while ${other} is set: set ${missing} or ${missing}_FILE, or none of them`;
  }
  if (cert !== undefined && key !== undefined && !new X509Certificate(cert).checkPrivateKey(privateKey(key))) {
    yield "REDIS_TLS_KEY is not the key of REDIS_TLS_CERT (its first certificate): give both from the same pair";
  }
  if (ca !== undefined) yield* validity("REDIS_TLS_CA", ca, now);
  if (cert !== undefined) yield* validity("REDIS_TLS_CERT", cert, now);
}

/** When the first of these certificates ends, in ms. */
export function expiryOf(certificates: string): number {
  return Math.min(...each(certificates).map(({ validToDate }) => validToDate.getTime()));
}

/** A bundle of authorities may hold old ones: one that is valid is enough. Of a client's chain each must be. */
function* validity(name: string, certificates: string, now: number): Iterable<string> {
  const all = each(certificates);
  const old = all.filter(({ validToDate }) => validToDate.getTime() <= now);
  const early = all.filter(({ validFromDate }) => validFromDate.getTime() > now);
  if (name === "REDIS_TLS_CA" && old.length + early.length < all.length) return;
  const [expired] = old;
  const [unripe] = early;
  if (expired !== undefined) yield `${name} expired on ${expired.validToDate.toISOString()}: renew it`;
  else if (unripe !== undefined) {
    yield `${name} is valid only from ${unripe.validFromDate.toISOString()} on: check this machine's clock`;
  }
}

function each(certificates: string): X509Certificate[] {
  return (certificates.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
}

function privateKey(key: Secret): KeyObject {
  return createPrivateKey(key.open());
}

function isTls(url: Secret): boolean {
  const target = read(() => parseRedisUrl(url.open()));
  return target !== undefined && usesTls(target);
}

/** Environment files often carry the line ends of a PEM as the two characters \n. */
function withLineEnds(text: string): string {
  return text.replaceAll("\\n", "\n");
}

/** Undefined where it cannot be read. */
function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
