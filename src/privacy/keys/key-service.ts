import { z } from "zod";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { KeyProvider } from "./key-provider.ts";
import { KEY_BYTES } from "../sealing/data-key.ts";
import { unreadableKey } from "./ring-key-provider.ts";
import { parseJson } from "../../base/json.ts";

/** For one request with all it takes, in ms. */
export const SERVICE_TIMEOUT_MS = 10_000;
/** Longest answer, in bytes: a wrapped key of any KMS has far less. */
export const MOST_ANSWER_BYTES = 65_536;
const VERSION = "x1";
const FORM = /^x1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** Sends one JSON text and gives back the answer's. Throws SatyapanError `keys-unreachable`. */
export type AskService = (request: string) => Promise<string>;

const Wrapped = z.object({ wrapped: z.string().min(1).max(8_192), key_id: z.string().min(1).max(512) });
const Unwrapped = z.object({ key: z.string().min(1).max(1_024) });

/**
 * A key service that speaks JSON: `{"operation":"wrap","key":base64,"context"}` is answered by `{"wrapped","key_id"}`,
 * `{"operation":"unwrap","wrapped","key_id","context"}` by `{"key":base64}`. Stored as `x1.<key id>.<wrapped>`, both base64url.
 */
export class ServiceKeyProvider implements KeyProvider {
  /** Its keys change behind our back. */
  readonly sealingId = null;
  readonly #name: string;
  readonly #ask: AskService;

  /** `name`: what messages call it; nothing secret. */
  constructor(name: string, ask: AskService) {
    this.#name = name;
    this.#ask = ask;
  }

  async wrap(key: Uint8Array, context: string): Promise<string> {
    const request = { operation: "wrap", key: Buffer.from(key).toString("base64"), context };
    const { wrapped, key_id } = await this.#answer(Wrapped, request);
    return `${VERSION}.${encode(key_id)}.${encode(wrapped)}`;
  }

  async unwrap(wrapped: string, context: string): Promise<Uint8Array> {
    const [key_id, text] = read(wrapped);
    const { key } = await this.#answer(Unwrapped, { operation: "unwrap", wrapped: text, key_id, context });
    const bytes = Buffer.from(key, "base64");
    if (bytes.length !== KEY_BYTES) throw keysUnreachable(this.#name, `its key has not ${KEY_BYTES} bytes`);
    return bytes;
  }

  printOf(): null {
    return null;
  }

  keyIdOf(wrapped: string): string {
    return serviceKeyIdOf(wrapped);
  }

  async #answer<T>(schema: z.ZodType<T>, request: Readonly<Record<string, string>>): Promise<T> {
    const answer = schema.safeParse(parseJson(await this.#ask(JSON.stringify(request))));
    if (answer.success) return answer.data;
    throw keysUnreachable(this.#name, "its answer is not what was agreed on");
  }
}

export function serviceKeyIdOf(wrapped: string): string {
  return read(wrapped)[0];
}

/** `why` repeats nothing that the service said: it may quote a key. */
export function keysUnreachable(name: string, why: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.KEYS_UNREACHABLE,
    `the key service (KEY_PROVIDER, ${name}) does not give keys: ${why}`,
  );
}

function read(wrapped: string): readonly [id: string, text: string] {
  const [, id, text] = FORM.exec(wrapped) ?? [];
  if (id === undefined || text === undefined) throw unreadableKey();
  return [decode(id), decode(text)];
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function decode(base64url: string): string {
  return Buffer.from(base64url, "base64url").toString("utf8");
}
