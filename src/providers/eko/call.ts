import type { EkoSettings } from "./settings.ts";
import { Secret } from "../../secrets/secret.ts";
import type { HttpCall, ProviderRequest } from "../http.ts";
import { basePath, withQuery } from "../path.ts";
import type { EkoSigner } from "./signature.ts";

/**
 * Makes one attempt of a request: signed afresh at `nowMs`, with exactly the headers that Eko documents (facts/eko §1.4).
 * Throws TypeError where a body field is still a `Secret`, which JSON would send as its mask.
 */
export function ekoCall(request: ProviderRequest, settings: EkoSettings, sign: EkoSigner, nowMs: number): HttpCall {
  const { secretKey, timestamp } = sign(nowMs);
  return {
    method: request.method,
    origin: settings.baseUrl.origin,
    path: withQuery(basePath(settings.baseUrl) + request.path, request.query),
    headers: {
      developer_key: settings.developerKey.open(),
      "secret-key": secretKey,
      "secret-key-timestamp": timestamp,
      "content-type": "application/json",
    },
    body: request.body === null ? null : jsonBody(request.body),
  };
}

function jsonBody(body: Readonly<Record<string, unknown>>): string {
  for (const [field, value] of Object.entries(body)) {
    if (value instanceof Secret) throw new TypeError(`the body field "${field}" is a Secret that was not opened`);
  }
  return JSON.stringify(body);
}
