import type { DeepvueSettings } from "./settings.ts";
import type { HttpCall, ProviderRequest } from "../http.ts";
import { basePath, withQuery } from "../path.ts";

/**
 * Makes one attempt of a request: everything in the query string, no body, and the key pair as headers, where `x-api-key`
 * is the client *secret* (facts/deepvue §1). Throws TypeError for a request with a body: it would be lost.
 */
export function deepvueCall(request: ProviderRequest, settings: DeepvueSettings): HttpCall {
  if (request.body !== null) throw new TypeError("a Deepvue request has no body: its fields belong in the query");
  return {
    method: request.method,
    origin: settings.baseUrl.origin,
    path: withQuery(basePath(settings.baseUrl) + request.path, request.query),
    headers: {
      "x-api-key": settings.clientSecret.open(),
      "client-id": settings.clientId.open(),
      "content-type": "application/json",
    },
    body: null,
  };
}
