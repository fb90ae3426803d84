import { createSecretKey, type KeyObject } from "node:crypto";
import { Complaint, parseText, textSchema } from "../../base/text.ts";
import { KEY_BYTES } from "../sealing/data-key.ts";

/** An old key is kept only until what it sealed has run out. */
const MOST_KEYS = 16;
const KEY_ID = /^[A-Za-z0-9_-]{1,16}$/;
const HOW = "`openssl rand -base64 32` makes a key";

/** One AES-256 key and the id that sealed values carry. */
export interface SealingKey {
  /** `^[A-Za-z0-9_-]{1,16}$`. */
  readonly id: string;
  /** Cannot be printed, and seals four times as fast as its bytes. */
  readonly key: KeyObject;
}

/** Several keys: the first seals, all of them open. */
export interface KeyRing {
  readonly sealing: SealingKey;
  /** The ids of all keys, that of the sealing key first. */
  readonly ids: readonly string[];
  find(id: string): SealingKey | undefined;
  has(key: KeyObject): boolean;
}

/** `id:base64key,…` → key ring. See `parseKeyRing`. */
export const keyRingSchema = textSchema("id:base64key,…: 32 bytes each, the first seals", readKeyRing);

/**
 * Keys of 32 bytes in standard or url-safe base64, `id:key,id:key`; the first seals. No message repeats any of the text.
 * @throws SatyapanError `bad-settings`, its message beginning with `name`
 */
export function parseKeyRing(text: string, name = "SATYAPAN_ENCRYPTION_KEYS"): KeyRing {
  return parseText(keyRingSchema, text, name);
}

/** The first key seals. Ids and lengths are the caller's to have checked (`parseKeyRing`). */
function createKeyRing(keys: readonly [SealingKey, ...SealingKey[]]): KeyRing {
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    sealing: keys[0],
    ids: keys.map(({ id }) => id),
    find: (id) => byId.get(id),
    has: (wanted) => keys.some(({ key }) => key.equals(wanted)),
  };
}

/** 32 bytes from standard or url-safe base64, with or without padding; undefined for anything else. */
export function readKey(base64: string): KeyObject | undefined {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, "base64");
  return bytes.length === KEY_BYTES ? createSecretKey(bytes) : undefined;
}

function readKeyRing(text: string): KeyRing | Complaint {
  const parts = text.split(",");
  if (parts.length > MOST_KEYS) return new Complaint(`must have at most ${MOST_KEYS} keys`);
  const keys: SealingKey[] = [];
  for (const [index, part] of parts.entries()) {
    const key = readSealingKey(part.trim(), `key ${index + 1} of ${parts.length}`);
    if (key instanceof Complaint) return key;
    if (keys.some(({ id }) => id === key.id)) return new Complaint(`must not have two keys of the id ${key.id}`);
    const same = keys.find((other) => other.key.equals(key.key));
    if (same !== undefined) return new Complaint(`must not have the same key twice, as ${same.id} and ${key.id}`);
    keys.push(key);
  }
  const [first, ...others] = keys;
  return first === undefined ? new Complaint(`must be id:base64key,…: ${HOW}`) : createKeyRing([first, ...others]);
}

function readSealingKey(text: string, which: string): SealingKey | Complaint {
  const colon = text.indexOf(":");
  if (colon < 0) return new Complaint(`must be id:base64key,…, but ${which} has no id and colon before it`);
  const id = text.slice(0, colon);
  if (!KEY_ID.test(id)) {
    return new Complaint(`must have ids of 1 to 16 letters, digits, "_" or "-", which that of ${which} is not`);
  }
  const key = readKey(text.slice(colon + 1));
  // The id is not repeated before this point is passed: in `key:id`, the wrong way round, it would be the key.
  if (key === undefined) return new Complaint(`must have keys of 32 bytes in base64, which ${which} is not: ${HOW}`);
  return { id, key };
}
