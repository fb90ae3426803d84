import type { z } from "zod";
import type { DeepvueSettings } from "../providers/deepvue/settings.ts";
import type { Outcome } from "../outcomes/outcome.ts";
import type { ProviderName } from "../base/provider-name.ts";
import type { AfterUnknown, Step } from "../outcomes/policy.ts";
import type { CallContext } from "../providers/call.ts";
import type { EkoContext } from "../providers/eko/body.ts";
import type { HttpReply, ProviderRequest } from "../providers/http.ts";

/** The source of a verify's field when it is given `of`, the id of its send's job. */
export type TakenFrom =
  | { readonly input: string } // a field of the send's own input
  | { readonly result: string } // a reference in the send's result
  | "client_ref_id"; // that of the send's successful attempt

export interface SendLink<Taken extends string = string> {
  /** The operation whose job `of` must name. */
  readonly send: string;
  /** Field of this operation's input → where it comes from. What the caller gives wins. */
  readonly takes: Readonly<Record<Taken, TakenFrom>>;
}

/** What has an input that producers give: an operation, or a flow. */
export interface InputOwner {
  readonly name: string;
  readonly provider: ProviderName;
  readonly summary: string;
  readonly input: z.ZodObject;
  readonly exactlyOne?: readonly string[];
  readonly of?: SendLink;
}

interface OperationOf<
  Provider extends ProviderName,
  Context,
  Name extends string = string,
  Schema extends z.ZodObject = z.ZodObject,
  Taken extends string = string,
> {
  /** Wire name `provider.product.step`. Renaming it strands queued jobs. */
  readonly name: Name;
  readonly provider: Provider;
  readonly step: Step;
  /** One line for `satyapan operations`. */
  readonly summary: string;
  /** Default path below the provider's base URL, with `{field}` placeholders. */
  readonly path: string;
  /** Strict; secret fields carry `sealed` in their schema's metadata and parse to `Secret`. */
  readonly input: Schema;
  readonly example: z.input<Schema>;
  /** Optional fields of which exactly one has to be given: `aadhaar` or `aadhaar_encrypted`. */
  readonly exactlyOne?: readonly string[];
  /** Only a send: the fields that tell whom an OTP goes to, the first that is given (an Aadhaar or a mobile number). */
  readonly subject?: readonly string[];
  /** The link to its send; only a verify has one. */
  readonly of?: SendLink<Taken>;
  readonly afterUnknown: AfterUnknown;
  // Methods, not function fields: an operation of one input fits the list of all (`Operation`).
  prepare(input: z.output<Schema>, context: Context): ProviderRequest;
  read(reply: HttpReply, input: z.output<Schema>): Outcome;
}

export type EkoOperation<
  Name extends string = string,
  Schema extends z.ZodObject = z.ZodObject,
  Taken extends string = string,
> = OperationOf<"eko", EkoContext, Name, Schema, Taken>;
export type DeepvueOperation<
  Name extends string = string,
  Schema extends z.ZodObject = z.ZodObject,
  Taken extends string = string,
> = OperationOf<"deepvue", CallContext<DeepvueSettings>, Name, Schema, Taken>;
export type Operation = EkoOperation | DeepvueOperation;

/** Declares an operation; only there so that name, input type and the fields taken from the send are kept exactly. */
export function ekoOperation<
  const Name extends `eko.${string}`,
  Schema extends z.ZodObject,
  const Taken extends string = never,
>(operation: Omit<EkoOperation<Name, Schema, Taken>, "provider">): EkoOperation<Name, Schema, Taken> {
  return { ...operation, provider: "eko" };
}

export function deepvueOperation<
  const Name extends `deepvue.${string}`,
  Schema extends z.ZodObject,
  const Taken extends string = never,
>(operation: Omit<DeepvueOperation<Name, Schema, Taken>, "provider">): DeepvueOperation<Name, Schema, Taken> {
  return { ...operation, provider: "deepvue" };
}
