import type { Quota } from "../src/limits/quota.ts";
import type { RequestRecord } from "./request-log.ts";

type Arrival = Pick<RequestRecord, "seq" | "at" | "came_after">;

/** A request that was stamped when a window was full. */
export interface EarlyCall<A extends Arrival = Arrival> {
  readonly request: A;
  /** With which it shares a window: the one that is the window's calls before it. */
  readonly before: A;
  /** By its stamp, in ms. */
  readonly earlyMs: number;
  /** However late the witness may have been with its stamps; false: it may have been in time. */
  readonly isCertain: boolean;
}

/** Sliding windows, as a provider counts arrivals. `requests` in order of arrival, those that were refused left out. */
export function earlyCalls<A extends Arrival>(requests: readonly A[], quota: Quota): EarlyCall<A>[] {
  return quota.flatMap(({ max, ms }) =>
    requests.flatMap((request, index) => {
      const before = requests[index - max];
      if (before === undefined || request.at - before.at >= ms) return [];
      // Stamps are whole ms, cut off.
      const isCertain = before.came_after === null || request.at + 1 - before.came_after < ms;
      return [{ request, before, earlyMs: ms - (request.at - before.at), isCertain }];
    }),
  );
}
