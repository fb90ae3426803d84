import type { z } from "zod";
import type { ProviderName } from "../base/provider-name.ts";
import type { OperationName } from "../operations/catalogue.ts";

/** What a step's result has to say; `null` is also what it does not say. */
type Expected = Readonly<Record<string, string | boolean | null>>;

/** Where to go after a step that succeeded: the first rule that fits. `END`: the person is onboarded. */
export interface Rule {
  /** Fields of the step's result; absent: always. */
  readonly when?: Expected;
  readonly go: string;
}

export const END = "end";

/** One call. Fields of its input are those of the flow's own name, and what is said here. */
export interface Step {
  readonly operation: OperationName;
  /** Fields that are the newest ones that a step before it was given: references live for one step. */
  readonly newest?: readonly string[];
  /** Fields that are always this. */
  readonly fixed?: Readonly<Record<string, string>>;
  /**
   * A person has to read out the code that went out with the step before it. `of`: that was a send, whose references it takes;
   * `newest`: the provider sent it by itself, and the newest references are its.
   */
  readonly code?: "of" | "newest";
  readonly next: readonly Rule[];
}

/** How one person is onboarded, as data. */
export interface FlowOf<Name extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  /** Wire name. Renaming it strands onboardings that run. */
  readonly name: Name;
  readonly provider: ProviderName;
  /** One line for `satyapan flows`. */
  readonly summary: string;
  /** Every field that its steps take and none of them gives: strict, flat but for `consent`. */
  readonly input: Schema;
  readonly example: z.input<Schema>;
  /** Optional fields of which exactly one has to be given. */
  readonly exactlyOne?: readonly string[];
  /** The fields that tell who is onboarded, the first that is given. */
  readonly subject: readonly string[];
  readonly first: string;
  /** By name: 1 to 16 of `a-z -`. */
  readonly steps: Readonly<Record<string, Step>>;
}

export type Flow = FlowOf;

/** Declares a flow; only there so that its name and its input's type are kept exactly. */
export function flow<const Name extends string, Schema extends z.ZodObject>(
  declared: FlowOf<Name, Schema>,
): FlowOf<Name, Schema> {
  return declared;
}
