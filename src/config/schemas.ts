import { createPublicKey, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { SatyapanError } from "../base/error.ts";
import { readKey } from "../privacy/keys/key-ring.ts";
import { Secret } from "../secrets/secret.ts";
import { parseRedisUrl } from "../redis/url.ts";
import { describeRange, readDuration, type DurationRange } from "../base/duration.ts";
import { Complaint, quote, textSchema, type TextSchema } from "../base/text.ts";

/** Longest credential or id, in characters: what still goes into an HTTP header without question. */
const LONGEST_WORD = 512;
const MOST_DELAYS = 10;
/** Shortest RSA modulus that is taken, in bits: that of the key Eko publishes (facts/eko §5). */
const LEAST_MODULUS = 1024;

/** A credential as it goes into a header. No message repeats it. */
export const secretSchema: TextSchema<Secret> = textSchema("text without spaces", (text) =>
  isWord(text)
    ? new Secret(text)
    : new Complaint(`must be 1 to ${LONGEST_WORD} printable ASCII characters without spaces`),
);

/** An id that is not secret, but not for messages either: Eko's `initiator_id` is somebody's mobile number. */
export const idSchema: TextSchema<string> = textSchema("letters and digits", (text) =>
  /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : new Complaint('must be 1 to 64 letters, digits, "_" or "-"'),
);

/** A whole number between two others, both included. */
export function wholeNumberSchema(least: number, most: number): TextSchema<number> {
  return textSchema(`whole number, ${least} to ${most}`, (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    return new Complaint(`must be a whole number from ${least} to ${most}, not ${quote(text)}`);
  });
}

/** One of some words. */
export function choiceSchema<const Word extends string>(...words: readonly Word[]): TextSchema<Word> {
  return textSchema(words.join(", "), (text) => {
    const word = words.find((candidate) => candidate === text);
    return word ?? new Complaint(`must be one of ${words.join(", ")}, not ${quote(text)}`);
  });
}

/** `on` or `off`. */
export const switchSchema: TextSchema<boolean> = textSchema("on, off", (text) => {
  if (text === "on") return true;
  return text === "off" ? false : new Complaint(`must be on or off, not ${quote(text)}`);
});

/** `10%` → 0.1. */
export const shareSchema: TextSchema<number> = textSchema("whole percentage, 0% to 50%", (text) => {
  const percent = /^(\d{1,2})%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 50) return Number(percent) / 100;
  return new Complaint(`must be a percentage from 0% to 50%, like 10%, not ${quote(text)}`);
});

/** `60s,120s,300s` → milliseconds. */
export function delaysSchema(range: DurationRange): TextSchema<readonly number[]> {
  const takes = `1 to ${MOST_DELAYS} durations, each ${describeRange(range)}`;
  return textSchema(takes, (text) => {
    const parts = text.split(",");
    if (parts.length > MOST_DELAYS)
      return new Complaint(`must have at most ${MOST_DELAYS} durations, not ${parts.length}`);
    const delays: number[] = [];
    for (const part of parts) {
      const ms = readDuration(part.trim(), range);
      if (ms instanceof Complaint) return new Complaint(`must be a list of durations; each ${ms.message}`);
      delays.push(ms);
    }
    return delays;
  });
}

/**
 * Where a provider is: https, and http only to this machine or to a host of one label (a container's name, such as
 * `simulator`), because Deepvue takes everything in the query string. No message repeats it: it may hold a password.
 */
export const baseUrlSchema: TextSchema<URL> = textSchema("https URL without query", (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return new Complaint("must be a URL like https://api.example.com/base");
  }
  if (url.username !== "" || url.password !== "") return new Complaint("must not have a user or password in it");
  if (/[?#]/.test(text)) return new Complaint("must end with the path: no query (?) and no fragment (#)");
  if (url.protocol === "http:" && !isNear(url.hostname)) {
    return new Complaint(
      "must begin with https:// (http:// is for this machine and hosts of one label, like simulator)",
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
});

/** Who wraps data keys: a program with its arguments (split at spaces, no shell), or a URL. */
export type KeyServiceAddress =
  | { readonly kind: "command"; readonly program: string; readonly args: readonly string[] }
  | { readonly kind: "http"; readonly url: URL };

/** `command:/path/to/program arg…`, or a URL as `baseUrlSchema` takes it. No message repeats it. */
export const keyServiceSchema: TextSchema<KeyServiceAddress> = textSchema(
  "`command:/path/to/program arg…`, or https URL without query",
  (text) => {
    if (text.startsWith("command:")) {
      const [program = "", ...args] = text.slice("command:".length).trim().split(/ +/);
      if (isAbsolute(program)) return { kind: "command", program, args };
      return new Complaint("must give the program's whole path: command:/path/to/program");
    }
    const url = baseUrlSchema.safeParse(text);
    if (url.success) return { kind: "http", url: url.data };
    const why = url.error.issues.map(({ message }) => message.replace(/^must be a URL.*$/, "")).join("");
    return new Complaint(why === "" ? "must be command:/path/to/program, or a URL like https://keys.example.com" : why);
  },
);

/** Where Redis is. No message repeats it: it may hold a password. */
export const redisUrlSchema: TextSchema<Secret> = textSchema("redis, rediss, redis+sentinel … URL", (text) => {
  try {
    parseRedisUrl(text);
    return new Secret(text);
  } catch (error) {
    if (!(error instanceof SatyapanError)) throw error;
    return new Complaint(error.message.replace(/^REDIS_URL /, "").replaceAll(/\s*\n\s*/g, " "));
  }
});

/** RSA public key, SPKI in base64 or PEM → base64 SPKI in one line. */
export const rsaPublicKeySchema: TextSchema<string> = textSchema("RSA public key, base64 SPKI or PEM", (text) => {
  if (text.includes("PRIVATE KEY"))
    return new Complaint("must be a public key, and is a private one: take it out of here");
  const key = readPublicKey(text);
  if (key === undefined) return new Complaint("must be a public key: base64 SPKI (it begins with MI) or PEM");
  if (key.asymmetricKeyType !== "rsa")
    return new Complaint(`must be an RSA key, not ${key.asymmetricKeyType ?? "unknown"}`);
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_MODULUS) {
    return new Complaint(`must be an RSA key of at least ${LEAST_MODULUS} bits`);
  }
  return key.export({ type: "spki", format: "der" }).toString("base64");
});

/** 32 bytes of base64 for HMAC, kept as base64. No message repeats it. */
export const hmacKeySchema: TextSchema<Secret> = textSchema("32 bytes in base64", (text) => {
  const key = readKey(text);
  if (key === undefined) return new Complaint("must be 32 bytes in base64: `openssl rand -base64 32` makes it");
  return new Secret(key.export().toString("base64"));
});

/** Where to listen: an address (IPv6 without brackets) or a name. Whether it is this machine's shows only then. */
export const hostSchema: TextSchema<string> = textSchema("address or name of this machine", (text) =>
  isIP(text) !== 0 || /^(?!-)[A-Za-z0-9_.-]{0,252}[A-Za-z][A-Za-z0-9_.-]{0,252}$/.test(text)
    ? text
    : new Complaint(`must be an address or a name of this machine, like 127.0.0.1, without a port, not ${quote(text)}`),
);

/** A folder on this machine. */
export const folderSchema: TextSchema<string> = textSchema("path of a folder", (text) =>
  /^[^\p{Cc}]{1,1024}$/u.test(text) ? text : new Complaint("must be the path of a folder"),
);

/** The path of an operation: other words than the default's, but the same `{placeholders}`. */
export function pathSchema(standard: string): TextSchema<string> {
  const wanted = placeholders(standard);
  return textSchema(`path with ${wanted === "" ? "no placeholders" : wanted}`, (text) => {
    if (!/^(\/([A-Za-z0-9._~-]|\{[a-z_]+\})+)+$/.test(text) || /\/\.{1,2}(\/|$)/.test(text)) {
      return new Complaint(`must be a path like ${standard}: "/" first, no query, no "..", not ${quote(text)}`);
    }
    if (placeholders(text) === wanted) return text;
    const same =
      wanted === "" ? "no {placeholders}, as the default has none" : `the default's placeholders, ${wanted}, once each`;
    return new Complaint(`must have ${same}: ${standard}`);
  });
}

function placeholders(path: string): string {
  return (path.match(/\{[a-z_]+\}/g) ?? []).toSorted().join(" ");
}

function isWord(text: string): boolean {
  return text.length <= LONGEST_WORD && /^[\u0021-\u007e]+$/.test(text);
}

/** This machine, or a name without a dot, which no public resolver answers. */
function isNear(hostname: string): boolean {
  if (hostname === "[::1]" || hostname.endsWith(".localhost")) return true;
  return /^127\.\d+\.\d+\.\d+$/.test(hostname) || /^[A-Za-z0-9_-]+$/.test(hostname);
}

function readPublicKey(text: string): KeyObject | undefined {
  try {
    // Environment files often carry the line ends of a PEM as the two characters \n.
    if (text.includes("-----BEGIN")) return createPublicKey(text.replaceAll("\\n", "\n"));
    const der = Buffer.from(text, "base64");
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
