import type { ProviderName } from "../base/provider-name.ts";
import type { Outcome } from "../outcomes/outcome.ts";
import { knownLabel } from "./known-label.ts";

/** The metric labels of a call (design §6): Deepvue's `sub_code` is its `response_status_id`. */
export function callLabels(
  provider: ProviderName,
  { reply }: Outcome,
): { provider: ProviderName; response_status_id: string; response_type_id: string } {
  const response_status_id =
    provider === "deepvue"
      ? knownLabel(provider, "sub_code", reply.sub_code)
      : knownLabel(provider, "response_status_id", reply.response_status_id);
  return {
    provider,
    response_status_id,
    response_type_id: knownLabel(provider, "response_type_id", reply.response_type_id),
  };
}
