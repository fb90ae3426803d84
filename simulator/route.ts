import type { FaultName, SimulatedStep } from "./fault.ts";
import type { Answer, Reply } from "./reply.ts";
import type { SimulatedProvider } from "./request-log.ts";
import type { World } from "./world.ts";

/** What came in, once its body has been read. */
export interface Arrival {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly query: URLSearchParams;
  /** Null where the method has none. */
  readonly body: string | null;
  /** `customer_id` of the path, where the route has one. */
  readonly pathCustomer: string | null;
}

/** A call as far as it could be read: either refused at the door, when nothing has happened, or ready to be carried out. */
export interface OpenedCall {
  readonly clientRefId: string | null;
  /** Aadhaar number first, then mobile number. */
  readonly persons: readonly string[];
  readonly next: { readonly refused: Reply } | { readonly carryOut: () => Answer };
}

export interface Route {
  readonly provider: SimulatedProvider;
  readonly operation: string;
  readonly step: SimulatedStep;
  readonly method: "GET" | "POST" | "PUT";
  /** Paths with `{customer_id}`; the first is the current one, the others are older forms still in circulation. */
  readonly paths: readonly string[];
  /** Content type and credentials: the reply that turns the request away, or null. */
  admit(arrival: Arrival, world: World): Reply | null;
  open(arrival: Arrival, world: World): OpenedCall;
  /** The reply of an `instead` fault; null where this operation cannot have it. */
  faultReply(fault: FaultName, world: World): Reply | null;
}

/** What a provider says about a path or a method it does not have, and about too many requests. */
export interface ProviderManners {
  notFound(): Reply;
  wrongMethod(): Reply;
  tooMany(): Reply;
}

/** The first value of a header. */
export function header(arrival: Arrival, name: string): string | null {
  const value = arrival.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
