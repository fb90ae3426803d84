import type { ProviderName } from "../base/provider-name.ts";
import { DEEPVUE_SUB_CODES } from "./deepvue/codes.ts";
import { EKO_STATUS_IDS, EKO_TYPE_IDS } from "./eko/codes.ts";

/** The fields of a reply that become metric labels. */
export type LabelField = "response_status_id" | "response_type_id" | "sub_code";

const KNOWN: Readonly<Record<ProviderName, Readonly<Record<LabelField, { has(value: unknown): boolean }>>>> = {
  eko: { response_status_id: EKO_STATUS_IDS, response_type_id: EKO_TYPE_IDS, sub_code: new Set() },
  deepvue: { response_status_id: new Set(), response_type_id: new Set(), sub_code: DEEPVUE_SUB_CODES },
};

/** A metric label with a bounded number of values: a documented one, `other`, or `none` where the reply had none. */
export function knownLabel(provider: ProviderName, field: LabelField, value: string | number | null): string {
  if (value === null) return "none";
  return KNOWN[provider][field].has(value) ? String(value) : "other";
}
