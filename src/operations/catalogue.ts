import type { z } from "zod";
import { ErrorCode, SatyapanError } from "../base/error.ts";
import { heartbeat } from "./heartbeat.ts";
import * as list from "./list.ts";
import { unknownName } from "../base/near.ts";
import type { Operation, SendLink } from "./operation.ts";

type Entry = (typeof list)[keyof typeof list];

export type OperationName = Entry["name"];

/** All operations, by name. */
export const OPERATIONS: readonly Operation[] = Object.values(list).toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Their names, in the same order. */
export const OPERATION_NAMES: readonly string[] = OPERATIONS.map(({ name }) => name);

const BY_NAME: ReadonlyMap<string, Operation> = new Map(OPERATIONS.map((operation) => [operation.name, operation]));

/** In no list, because nobody submits it: a worker makes it. */
export const HEARTBEAT: Operation = heartbeat;

/** As `findOperation`, of a job that there is: it may be a heartbeat, too. */
export function operationOfJob(name: string): Operation {
  return name === HEARTBEAT.name ? HEARTBEAT : findOperation(name);
}

/** Throws SatyapanError(UNKNOWN_OPERATION), which names those that may have been meant. */
export function findOperation(name: string): Operation {
  const found = BY_NAME.get(name);
  if (found !== undefined) return found;
  throw new SatyapanError(ErrorCode.UNKNOWN_OPERATION, unknownName("operation", name, OPERATION_NAMES));
}

type Accepted<Input, Of extends string> = [Of] extends [never]
  ? Input
  : Omit<Input, Of> & Partial<Pick<Input, Of & keyof Input>> & { readonly of?: string };

type Supplied<E> = E extends { readonly of?: SendLink<infer Taken> } ? Taken : never;

type Named<Name extends OperationName> = Extract<Entry, { readonly name: Name }>;

/** What a caller may give: for a verify, every field that `of` supplies may be left out. */
export type InputOf<Name extends OperationName> = Accepted<z.input<Named<Name>["input"]>, Supplied<Named<Name>>>;
