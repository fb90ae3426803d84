import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseText } from "../../../src/base/text.ts";
import {
  certificatesSchema,
  expiryOf,
  privateKeySchema,
  redisTlsOf,
  tlsProblems,
} from "../../../src/redis/certificates.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { Authority } from "../../support/certificates.ts";

const NOW = Date.now();
const HOUR_MS = 3_600_000;
const authority = new Authority("an authority");
const { cert, key } = authority.issue("worker");
const other = authority.issue("another");
const expired = authority.issue("old", { notAfter: new Date(NOW - HOUR_MS) });
const early = authority.issue("new", { notBefore: new Date(NOW + HOUR_MS), notAfter: new Date(NOW + 2 * HOUR_MS) });
const TLS_URL = new Secret("rediss://redis.example");

function problems(values: Parameters<typeof tlsProblems>[0], url = TLS_URL): string[] {
  return [...tlsProblems(values, [url], NOW)];
}

describe("certificates in a setting", () => {
  it("are taken as PEM, one or several, with line ends as they are or as two characters", () => {
    expect(parseText(certificatesSchema, cert, "X")).toBe(cert);
    expect(parseText(certificatesSchema, `about it\n${cert}${other.cert}`, "X")).toBe(`${cert}${other.cert}`);
    expect(parseText(certificatesSchema, cert.replaceAll("\n", "\\n"), "X")).toBe(cert);
  });

  it.each([
    ["hello", "X must be a certificate in PEM: it begins with -----BEGIN CERTIFICATE-----"],
    [`${cert}${key}`, "X must be certificates only: take the private key out of here"],
    [`${cert}${cert.replace(/MI/, "AA")}`, "X holds a certificate that cannot be read: number 2"],
  ])("are refused where there is something else (%#)", (text, message) => {
    expect(() => parseText(certificatesSchema, text, "X")).toThrow(message);
  });
});

describe("a private key in a setting", () => {
  it("is a secret from the first moment", () => {
    const secret = parseText(privateKeySchema, key.replaceAll("\n", "\\n"), "X");
    expect(secret.open()).toBe(key);
    expect(JSON.stringify({ secret })).not.toContain("PRIVATE KEY");
  });

  it("is refused with a passphrase, or where it is none, and never repeated", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const locked = privateKey
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
      .toString();
    expect(() => parseText(privateKeySchema, locked, "X")).toThrow(/^X must not be encrypted with a passphrase/);
    expect(() => parseText(privateKeySchema, "s3cret", "X")).toThrow(/^X must be a private key in PEM(?!.*s3cret)/);
    expect(() => parseText(privateKeySchema, cert, "X")).toThrow(/^X must be a private key in PEM/);
  });
});

describe("the settings of TLS together", () => {
  it("are right as a pair that is valid, with or without an authority, or none at all", () => {
    const pair = { REDIS_TLS_CERT: cert, REDIS_TLS_KEY: new Secret(key) };
    expect(problems({})).toEqual([]);
    expect(problems(pair)).toEqual([]);
    expect(problems({ ...pair, REDIS_TLS_CA: authority.cert })).toEqual([]);
    expect(redisTlsOf(pair)).toEqual({ ca: null, client: { certificate: cert, key: pair.REDIS_TLS_KEY } });
    expect(redisTlsOf({})).toEqual({ ca: null, client: null });
  });

  it.each<[what: string, values: () => Parameters<typeof tlsProblems>[0], problem: RegExp]>([
    ["a key without its certificate", () => ({ REDIS_TLS_KEY: new Secret(key) }), /^REDIS_TLS_CERT is missing, while/],
    ["a certificate without its key", () => ({ REDIS_TLS_CERT: cert }), /^REDIS_TLS_KEY is missing, while/],
    [
      "the key of another certificate",
      () => ({ REDIS_TLS_CERT: cert, REDIS_TLS_KEY: new Secret(other.key) }),
      /^REDIS_TLS_KEY is not the key of REDIS_TLS_CERT/,
    ],
    [
      "a certificate that has expired",
      () => ({ REDIS_TLS_CERT: expired.cert, REDIS_TLS_KEY: new Secret(expired.key) }),
      /^REDIS_TLS_CERT expired on \d{4}-/,
    ],
    [
      "a certificate from the future",
      () => ({ REDIS_TLS_CERT: early.cert, REDIS_TLS_KEY: new Secret(early.key) }),
      /^REDIS_TLS_CERT is valid only from \d{4}-/,
    ],
    ["authorities that have all expired", () => ({ REDIS_TLS_CA: expired.cert }), /^REDIS_TLS_CA expired on \d{4}-/],
  ])("are refused with %s", (_, values, problem) => {
    expect(problems(values())).toEqual([expect.stringMatching(problem) as string]);
  });

  it("let a bundle of authorities hold an old one", () => {
    expect(problems({ REDIS_TLS_CA: expired.cert + authority.cert })).toEqual([]);
  });

  it("are refused for a Redis that is spoken to in clear", () => {
    for (const url of ["redis://redis.example", "unix:///run/redis.sock"]) {
      expect(problems({ REDIS_TLS_CA: authority.cert }, new Secret(url))).toEqual([
        expect.stringMatching(/^REDIS_TLS_CA is set, but REDIS_URL does not use TLS: begin it with rediss:/) as string,
      ]);
    }
  });

  it("say when the first certificate ends", () => {
    expect(expiryOf(cert + expired.cert)).toBe(Math.floor((NOW - HOUR_MS) / 1_000) * 1_000);
  });
});
