import type { ProviderName } from "../base/provider-name.ts";
import type { Outcome } from "../outcomes/outcome.ts";
import { knownLabel } from "./known-label.ts";

/** The class of a reply's HTTP status; `none`: there was no reply. */
export type HttpClass = (typeof CLASSES)[number];

const CLASSES = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** The metric labels of a call (design §6): Deepvue's `sub_code` is its `response_status_id`. */
export function callLabels(
  provider: ProviderName,
  { reply }: Outcome,
): { provider: ProviderName; http_status: HttpClass; response_status_id: string; response_type_id: string } {
  const response_status_id =
    provider === "deepvue"
      ? knownLabel(provider, "sub_code", reply.sub_code)
      : knownLabel(provider, "response_status_id", reply.response_status_id);
  return {
    provider,
    http_status: httpClass(reply.http_status),
    response_status_id,
    response_type_id: knownLabel(provider, "response_type_id", reply.response_type_id),
  };
}

function httpClass(status: number | null): HttpClass {
  return status === null ? "none" : (CLASSES[Math.floor(status / 100)] ?? "none");
}
