import type { z } from "zod";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { END, type Flow } from "../../src/flows/flow.ts";
import { findFlow, FLOWS, isFlow } from "../../src/flows/flows.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { InputOwner, Operation } from "../../src/operations/operation.ts";

/** What each row of a file is to run. */
export interface ImportTarget {
  readonly kind: "operation" | "flow";
  readonly name: string;
  /** Whose input a row is. */
  readonly owner: InputOwner & Pick<Operation, "subject" | "example">;
  /** What a column may be named: an input's fields, those of an object as `consent.method`. */
  readonly fields: readonly string[];
  /** The fields that every row needs; a list: one of these. */
  readonly needs: readonly (readonly string[])[];
  /** The ways that a row can go. */
  readonly ways: readonly Way[];
}

/** The calls of one row, by operation, and the SMS that it gets by them. */
export interface Way {
  readonly calls: readonly string[];
  readonly sms: number;
}

const CONSENT_FIELDS = ["consent.reference", "consent.method", "consent.obtained_at", "consent.language"];
const NEEDED_OF_CONSENT = CONSENT_FIELDS.slice(0, 3);

export interface TargetNames {
  readonly operation?: string;
  readonly flow?: string;
}

/** Throws SatyapanError `bad-usage` where not one of the two is given, `unknown-operation` or `unknown-flow`. */
export function importTarget({ operation, flow }: TargetNames): ImportTarget {
  if ((operation === undefined) === (flow === undefined)) {
    throw new SatyapanError(
      ErrorCode.BAD_USAGE,
      "say what each row is to run, either with --flow NAME or with --operation NAME",
    );
  }
  return operation === undefined ? flowTarget(findFlow(flow ?? "")) : operationTarget(findOperation(operation));
}

/** What a template is asked for: a flow's name, or an operation's. */
export function targetNamed(name: string): ImportTarget {
  if (isFlow(name)) return importTarget({ flow: name });
  try {
    return importTarget({ operation: name });
  } catch (error) {
    if (!(error instanceof SatyapanError) || error.code !== ErrorCode.UNKNOWN_OPERATION) throw error;
    throw new SatyapanError(error.code, `${error.message} (flows: ${FLOWS.map((flow) => flow.name).join(", ")})`);
  }
}

function operationTarget(owner: Operation): ImportTarget {
  if (owner.step === "verify") {
    const message = `${owner.name} answers an OTP, which does not live as long as a batch may take: use \`satyapan submit ${owner.name} --each FILE\``;
    throw new SatyapanError(ErrorCode.BAD_USAGE, message);
  }
  const ways = [{ calls: [owner.name], sms: owner.step === "send" ? 1 : 0 }];
  return { kind: "operation", name: owner.name, owner, fields: fieldsOf(owner), needs: needsOf(owner), ways };
}

function flowTarget(owner: Flow): ImportTarget {
  const ways = waysFrom(owner.steps, owner.first, []);
  return { kind: "flow", name: owner.name, owner, fields: fieldsOf(owner), needs: needsOf(owner), ways };
}

/** Each code that a person has to read out came as an SMS. `before`: steps on the way, none of which comes twice. */
function waysFrom(steps: Flow["steps"], name: string, before: readonly string[]): Way[] {
  const step = steps[name];
  if (step === undefined || before.includes(name)) return [];
  const way = [...before, name];
  const goes = new Set(step.next.map(({ go }) => go));
  const further = [...goes].flatMap((go) => (go === END ? [] : waysFrom(steps, go, way)));
  if (!goes.has(END) && further.length > 0) return further;
  const here = way.flatMap((passed) => steps[passed] ?? []);
  const ended = {
    calls: here.map(({ operation }) => operation),
    sms: here.filter(({ code }) => code !== undefined).length,
  };
  return [ended, ...further];
}

function fieldsOf({ input }: InputOwner): string[] {
  return Object.keys(input.shape).flatMap((field) => (field === "consent" ? [field, ...CONSENT_FIELDS] : [field]));
}

function needsOf({ input, exactlyOne }: InputOwner): (readonly string[])[] {
  const required = Object.entries<z.ZodType>(input.shape)
    .filter(([, schema]) => !schema.safeParse(undefined).success)
    .flatMap(([field]) => (field === "consent" ? NEEDED_OF_CONSENT : [field]));
  return [...required.map((field) => [field]), ...(exactlyOne === undefined ? [] : [exactlyOne])];
}
