import { Agent, request } from "undici";
import {
  type AskService,
  keysUnreachable,
  MOST_ANSWER_BYTES,
  SERVICE_TIMEOUT_MS,
  ServiceKeyProvider,
} from "./key-service.ts";
import type { Secret } from "../../secrets/secret.ts";

export interface KeyEndpoint {
  /** https, or http to this machine or a host of one label. */
  readonly url: URL;
  /** Sent as `authorization: Bearer …`. */
  readonly token: Secret | null;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/** Keys from a web service: each request is a POST of JSON, answered by 200 and JSON. No redirect is followed. */
export function httpKeyProvider(endpoint: KeyEndpoint): ServiceKeyProvider {
  const name = endpoint.url.host;
  return new ServiceKeyProvider(name, askOf(endpoint, name));
}

function askOf({ url, token, timeoutMs = SERVICE_TIMEOUT_MS }: KeyEndpoint, name: string): AskService {
  return async (body) => {
    // One per request: there are few, and nothing is left to close.
    const dispatcher = new Agent({ maxResponseSize: MOST_ANSWER_BYTES, connect: { timeout: timeoutMs } });
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const reply = await request(url, {
        method: "POST",
        dispatcher,
        signal,
        body,
        headers: {
          "content-type": "application/json",
          accept: "application/json",
          ...(token === null ? {} : { authorization: `Bearer ${token.open()}` }),
        },
      });
      if (reply.statusCode !== 200) throw keysUnreachable(name, `it answered HTTP ${reply.statusCode}`);
      return await reply.body.text();
    } catch (error) {
      throw reasonOf(error, name, signal.aborted ? timeoutMs : null);
    } finally {
      await dispatcher.destroy();
    }
  };
}

function reasonOf(error: unknown, name: string, timedOutMs: number | null): unknown {
  if (timedOutMs !== null) return keysUnreachable(name, `no answer within ${timedOutMs} ms`);
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "keys-unreachable") return error;
  if (error.code === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
    return keysUnreachable(name, `its answer has more than ${MOST_ANSWER_BYTES} bytes`);
  return keysUnreachable(name, `the connection failed (${String(error.code)})`);
}
