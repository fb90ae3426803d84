import type { z } from "zod";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { unknownName } from "../base/near.ts";
import type { Flow } from "./flow.ts";
import * as list from "./list.ts";

type Entry = (typeof list)[keyof typeof list];

export type FlowName = Entry["name"];
/** What a caller gives to onboard one person. */
export type FlowInputOf<Name extends FlowName> = z.input<Extract<Entry, { readonly name: Name }>["input"]>;

/** All flows, by name. */
export const FLOWS: readonly Flow[] = Object.values(list).toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Whether this version knows a flow of that name. */
export function isFlow(name: string): boolean {
  return FLOWS.some((flow) => flow.name === name);
}

/** Throws SatyapanError `unknown-flow`, which names those that may have been meant. */
export function findFlow(name: string): Flow {
  const found = FLOWS.find((flow) => flow.name === name);
  if (found !== undefined) return found;
  const names = FLOWS.map((flow) => flow.name);
  throw new SatyapanError(ErrorCode.UNKNOWN_FLOW, unknownName("flow", name, names));
}
