import type { Lane } from "../outcomes/lane.ts";

/** One BullMQ job that carries the ids of many jobs: the queue's unit, never the truth. What all its jobs share is in its name. */
export interface Ticket {
  /** BullMQ's id of it: `t-<jobs><lane>[v]-<rest>`, for example `t-12b-0mvn…`; the lane by its first letter, `v` of verifies. */
  readonly name: string;
  /** How many jobs it was made of. */
  readonly size: number;
  readonly lane: Lane;
  readonly verify: boolean;
}

/** The most jobs of one ticket. */
export const LARGEST_TICKET = 64;

const LETTERS: Readonly<Record<Lane, string>> = { interactive: "i", bulk: "b" };
const NAME = /^t-([1-9]\d{0,2})([ib])(v?)-[0-9a-z]+$/;

/** `unique`: of `[0-9a-z]`. */
export function newTicket({ size, lane, verify }: Omit<Ticket, "name">, unique: string): Ticket {
  return { name: `t-${size}${LETTERS[lane]}${verify ? "v" : ""}-${unique}`, size, lane, verify };
}

/** Null: it names no ticket. */
export function parseTicket(name: string): Ticket | null {
  const [, size, letter, v] = NAME.exec(name) ?? [];
  if (size === undefined || Number(size) > LARGEST_TICKET) return null;
  return { name, size: Number(size), lane: letter === LETTERS.bulk ? "bulk" : "interactive", verify: v === "v" };
}
