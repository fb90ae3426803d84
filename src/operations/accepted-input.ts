import { z } from "zod";
import { says } from "./fields.ts";
import type { InputOwner, SendLink } from "./operation.ts";

const of = z
  .string(says("must be the id of a job, as text"))
  .min(1, says("must be the id of a job"))
  .max(256, says("must be the id of a job: at most 256 characters"));

/**
 * The input as callers may give it: the operation's own, and for a verify with `of` added and every field that `of` can
 * supply optional. Whether a field is missing after all is for `parseInput` to say.
 */
export function acceptedInput(operation: InputOwner): z.ZodObject {
  const link = operation.of;
  if (link === undefined) return operation.input;
  const fields = fieldsOf(operation).map(([field, schema]) => [
    field,
    Object.hasOwn(link.takes, field) ? schema.optional() : schema,
  ]);
  return z.strictObject({
    of: of.optional().meta({ description: `Id of the \`${link.send}\` job whose references are to be used` }),
    ...Object.fromEntries(fields),
  });
}

/** Zod types the fields of an object that it does not know as nothing at all. */
function fieldsOf(operation: InputOwner): [string, z.ZodType][] {
  return Object.entries<z.ZodType>(operation.input.shape);
}

/** Fields that have to be given where nothing supplies them. */
function requiredFields(operation: InputOwner): string[] {
  return fieldsOf(operation)
    .filter(([, schema]) => !schema.safeParse(undefined).success)
    .map(([field]) => field);
}

/** Those of them that `of` can supply; `exactlyOne` fields are not among them. */
export function referencesOf(operation: InputOwner, link: SendLink): string[] {
  return requiredFields(operation).filter((field) => Object.hasOwn(link.takes, field));
}

type JsonSchema = Readonly<Record<string, unknown>>;

/** JSON Schema (2020-12) of `acceptedInput`, with the rules between fields. Secret fields say `sealed: true`. */
export function inputJsonSchema(operation: InputOwner): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(acceptedInput(operation), { io: "input" });
  const whole = { $schema, title: operation.name, description: operation.summary, ...schema };
  const one = operation.exactlyOne?.map((field) => ({ required: [field] })) ?? [];
  const atMostOne = one.length === 0 ? {} : { not: { required: operation.exactlyOne } };
  const exactlyOne = one.length === 0 ? {} : { oneOf: one };
  if (operation.of === undefined) return { ...whole, ...exactlyOne };
  const references = { required: referencesOf(operation, operation.of), ...exactlyOne };
  return { ...whole, ...atMostOne, anyOf: [{ required: ["of"] }, references] };
}
