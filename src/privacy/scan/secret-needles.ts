import { KeyObject } from "node:crypto";
import type { KeyRing } from "../keys/key-ring.ts";
import { Secret } from "../../secrets/secret.ts";
import type { Needle } from "./needles.ts";

/** All secrets and keys of a process: those of its settings, and each key of the ring by its id. */
export function secretsOf({ keys, ...others }: { readonly keys: KeyRing | null }): Needle[] {
  const ring = keys?.ids.map((id) => ({ [`encryption key ${id}`]: keys.find(id)?.key })) ?? [];
  return [...ring.flatMap((one) => secretsIn(one)), ...secretsIn(others)];
}

/**
 * Every `Secret` and every key of the settings under its name there (`eko.accessKey`), so that a new one
 * is looked for without being listed; of a URL with a password the password, too, and of a Redis URL nothing without one.
 */
function secretsIn(settings: object, path = ""): Needle[] {
  return Object.entries(settings).flatMap(([field, value]: [string, unknown]): Needle[] => {
    const name = path === "" ? field : `${path}.${field}`;
    if (value instanceof Secret) return needlesOf(name, value);
    if (value instanceof KeyObject)
      return value.type === "secret" ? [{ kind: "secret", name, value: value.export() }] : [];
    if (typeof value !== "object" || value === null) return [];
    const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
    return isPlain ? secretsIn(value, name) : [];
  });
}

function needlesOf(name: string, secret: Secret): Needle[] {
  const value = secret.open();
  const bytes = keyBytes(value);
  const passwords = passwordsIn(value);
  // Where a Redis is, is no secret: logs and INFO may well say it. With a password in it, the whole is one.
  if (passwords.length === 0 && REDIS_URL.test(value)) return [];
  return [
    { kind: "secret", name, value },
    ...(bytes === null ? [] : [{ kind: "secret", name, value: bytes } as const]),
    // The password as it stands in the URL, and as it is sent.
    ...[...new Set(passwords.flatMap((one) => [one, safelyDecoded(one)]))].map((password): Needle => ({
      kind: "secret",
      name: `${name}'s password`,
      value: password,
    })),
  ];
}

const REDIS_URL = /^(?:rediss?(?:\+[a-z]+)?|unix):\/\//i;

/** Not by `URL` alone, which does not know several hosts; that of the sentinels is a parameter. */
function passwordsIn(value: string): string[] {
  const [, authority, query] = /^[a-z][a-z+]*:\/\/([^/?#]*)[^?#]*(?:\?([^#]*))?/i.exec(value) ?? [];
  const [, password] = /^[^:@]*:(.*)@/.exec(authority ?? "") ?? [];
  const [, ofSentinels] = /(?:^|&)sentinel_password=([^&]*)/.exec(query ?? "") ?? [];
  return [password, ofSentinels].filter((one) => one !== undefined && one !== "") as string[];
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a base64 text of 32 bytes stands for: a key that was written down as its bytes. */
function keyBytes(text: string): Buffer | null {
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  return Buffer.from(text, "base64");
}
