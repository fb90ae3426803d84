import type { z } from "zod";
import { isVerhoeffValid } from "../secrets/verhoeff.ts";
import { acceptedInput, referencesOf } from "./accepted-input.ts";
import { MISSING } from "./fields.ts";
import { InputError, type FieldProblem } from "./input-error.ts";
import type { InputOwner, SendLink } from "./operation.ts";
import type { OpenInput } from "../providers/call.ts";
import { spreadsheetTrace } from "./spreadsheet-trace.ts";
import { unknownField } from "./unknown-field.ts";
import { AADHAAR_FORM } from "../secrets/number-forms.ts";
import { isJsonObject } from "../base/json.ts";

/** What an input is checked against that is not in its schema. */
export interface EntryRules {
  /** Ms since the epoch. */
  readonly now: number;
  /** The setting AADHAAR_CHECKSUM: `false` lets the providers' own test numbers through (facts/deepvue §5.2). */
  readonly aadhaarChecksum: boolean;
  /** The setting CONSENT_REQUIRED: `all` asks for consent before every call about an Aadhaar number. Default `deepvue`. */
  readonly consentRequired?: "deepvue" | "all";
}

const CONSENT_FIELDS = ["reference", "method", "obtained_at", "language"];

/** A caller's clock may be a little ahead of ours. */
const CLOCK_SKEW_MS = 60_000;
/** Somewhere it is tomorrow already. */
const DAY_AHEAD_MS = 14 * 3_600_000;

type Raw = Readonly<Record<string, unknown>>;

/**
 * Checks everything a producer gives, and says everything that is wrong with it at once. Secret fields come back as
 * `Secret`. With `of` given, the fields it supplies may be missing and the result still has `of`: `resolveOf` makes it
 * complete, and what that gives is parsed once more.
 * @throws InputError (SatyapanError `bad-input`)
 */
export function parseInput(operation: InputOwner, raw: unknown, rules: EntryRules): OpenInput {
  if (!isJsonObject(raw)) throw new InputError([{ field: "", message: "the input must be a JSON object" }]);
  const linked = operation.of !== undefined && raw["of"] !== undefined;
  const schema = linked ? acceptedInput(operation) : operation.input;
  const parsed = schema.safeParse(raw);
  const traces = traceProblems(raw);
  const traced = new Set(traces.map(({ field }) => field));
  const faults = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, operation, raw));
  const problems = [
    ...faults.filter(({ field, unknown }) => unknown === true || !traced.has(field)),
    ...traces,
    ...exactlyOneProblems(operation, raw, linked),
    ...ruleProblems(operation, raw, rules),
    ...consentProblems(operation, raw, rules, linked),
  ];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new InputError(linked ? problems : bothWays(operation, raw, problems));
}

function problemsOf(issue: z.core.$ZodIssue, operation: InputOwner, raw: Raw): FieldProblem[] {
  // Only names of ours are shown: inside an address the caller chooses them.
  const path = issue.path.slice(0, issue.path[0] === "consent" ? 2 : 1).join(".");
  if (issue.code !== "unrecognized_keys") return [{ field: path, message: issue.message }];
  const holder = issue.path.length === 0 ? raw : raw[String(issue.path[0])];
  const names = isJsonObject(holder) ? Object.keys(holder) : [];
  const known = issue.path.length === 0 ? Object.keys(operation.input.shape) : CONSENT_FIELDS;
  return issue.keys.map((key) => {
    const problem = unknownField(key, names.indexOf(key) + 1, known);
    return path === "" ? problem : { ...problem, field: `${path}.${problem.field}` };
  });
}

/** Values that a spreadsheet changed: opaque references would take them as they are. */
function traceProblems(raw: Raw): FieldProblem[] {
  return Object.entries(raw).flatMap(([field, value]) => {
    // Inside an address the caller chooses the names.
    const inner = isJsonObject(value) ? Object.entries(value) : [["", value] as const];
    return inner.flatMap(([name, part]) => {
      const message = typeof part === "string" ? spreadsheetTrace(part) : null;
      if (message === null || !/^[a-z_]{1,32}$/.test(field)) return [];
      return [{ field: field === "consent" && CONSENT_FIELDS.includes(name) ? `${field}.${name}` : field, message }];
    });
  });
}

function exactlyOneProblems({ exactlyOne }: InputOwner, raw: Raw, linked: boolean): FieldProblem[] {
  const [first] = exactlyOne ?? [];
  if (exactlyOne === undefined || first === undefined) return [];
  const given = exactlyOne.filter((field) => raw[field] !== undefined).length;
  const names = exactlyOne.map((field) => `\`${field}\``).join(" or ");
  if (given > 1) return [{ field: first, message: `give only one of ${names}` }];
  return given === 1 || linked ? [] : [{ field: first, message: `${MISSING}: give ${names}` }];
}

/** What the schemas cannot know: settings, the clock, and that no field kept in clear repeats a number of the person. */
function ruleProblems(operation: InputOwner, raw: Raw, { now, aadhaarChecksum }: EntryRules): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const { aadhaar, consent } = raw;
  if (aadhaarChecksum && "aadhaar" in operation.input.shape && isAadhaarForm(aadhaar) && !isVerhoeffValid(aadhaar)) {
    problems.push({ field: "aadhaar", message: "is no Aadhaar number: its last digit, the checksum, does not fit" });
  }
  if (isJsonObject(consent) && Date.parse(String(consent["obtained_at"])) > now + CLOCK_SKEW_MS) {
    problems.push({ field: "consent.obtained_at", message: "must not be in the future" });
  }
  if (Date.parse(dayOf(raw["dob"])) > now + DAY_AHEAD_MS) {
    problems.push({ field: "dob", message: "must not be in the future" });
  }
  const numbers = ["aadhaar", "mobile", "customer_id", "mobile_number"]
    .map((field) => ({ field, value: raw[field] }))
    .filter((number): number is { field: string; value: string } => isNumberOfPerson(number.value));
  for (const { field, text } of plainTexts(raw)) {
    const repeated = numbers.find(
      (number) => mayNotHold(field, number.field) && text.replaceAll(/[\s-]/g, "").includes(number.value),
    );
    if (repeated === undefined) continue;
    problems.push({ field, message: `must not hold the value of \`${repeated.field}\`: it is kept in clear` });
  }
  return problems;
}

/** A verify with `of` has that of its send. */
function consentProblems(
  operation: InputOwner,
  raw: Raw,
  { consentRequired }: EntryRules,
  linked: boolean,
): FieldProblem[] {
  if (consentRequired !== "all" || linked || !("consent" in operation.input.shape)) return [];
  if (raw["consent"] !== undefined || operation.provider === "deepvue") return [];
  return [{ field: "consent", message: `${MISSING}: with CONSENT_REQUIRED=all this call needs one` }];
}

/** In a sandbox the `initiator_id` is often the tester's own mobile number; an Aadhaar number it never is. */
function mayNotHold(field: string, ofPerson: string): boolean {
  return field !== "initiator_id" || ofPerson === "aadhaar";
}

/** The fields that are stored as they are and may hold long numbers. */
function plainTexts(raw: Raw): { field: string; text: string }[] {
  const consent = isJsonObject(raw["consent"]) ? raw["consent"] : {};
  return [
    { field: "initiator_id", value: raw["initiator_id"] },
    { field: "user_code", value: raw["user_code"] },
    { field: "client_ref_id", value: raw["client_ref_id"] },
    { field: "consent.reference", value: consent["reference"] },
  ].flatMap(({ field, value }) => (typeof value === "string" ? [{ field, text: value }] : []));
}

/** A verify can be given its references or `of`: where it got neither, both ways are said. */
function bothWays(operation: InputOwner, raw: Raw, problems: readonly FieldProblem[]): FieldProblem[] {
  const { of } = operation;
  if (of === undefined) return [...problems];
  const references = [...referencesOf(operation, of), ...(operation.exactlyOne?.slice(0, 1) ?? [])];
  const isMissing = ({ field }: FieldProblem): boolean => references.includes(field) && raw[field] === undefined;
  const missing = problems.filter(isMissing);
  if (missing.length === references.length) {
    const others = problems.filter((problem) => !isMissing(problem));
    return [{ field: "of", message: waysToVerify(operation, of) }, ...others];
  }
  return problems.map((problem) =>
    isMissing(problem)
      ? { ...problem, message: `${problem.message}, or give \`of\`, the id of the \`${of.send}\` job` }
      : problem,
  );
}

function waysToVerify(operation: InputOwner, of: SendLink): string {
  const either = operation.exactlyOne === undefined ? [] : [operation.exactlyOne.join(" or ")];
  const references = [...referencesOf(operation, of), ...either].join(", ");
  return `${MISSING}: give the id of the \`${of.send}\` job that sent the OTP, or what that job would supply: ${references}`;
}

function dayOf(value: unknown): string {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : "";
}

function isAadhaarForm(value: unknown): value is string {
  return typeof value === "string" && AADHAAR_FORM.test(value);
}

/** Long enough that it does not occur in other texts by chance. */
function isNumberOfPerson(value: unknown): value is string {
  return typeof value === "string" && /^\d{10,12}$/.test(value);
}
