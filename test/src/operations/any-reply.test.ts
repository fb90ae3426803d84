import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../../src/operations/catalogue.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";
import type { Operation } from "../../../src/operations/operation.ts";
import type { OpenInput } from "../../../src/providers/call.ts";
import type { NoReplyCause } from "../../../src/outcomes/no-reply.ts";
import { OUTCOME_KINDS } from "../../../src/outcomes/outcome.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import type { HttpReply } from "../../../src/providers/http.ts";
import { RULES, exampleOf } from "./bundle.ts";

/** What each field carries here, so that it can be found again. */
const PLANTED: Readonly<Record<string, string>> = {
  aadhaar: "234123412346",
  otp: "583917",
  customer_id: "9876501234",
  mobile: "9876501234",
  mobile_number: "9876501234",
  csp_id: "9876501234",
  name: "Asha Example",
  dob: "1987-06-05",
};

function plantedInput(operation: Operation): OpenInput {
  const fields = Object.keys(operation.input.shape).filter((field) => Object.hasOwn(PLANTED, field));
  const planted = Object.fromEntries(fields.map((field) => [field, PLANTED[field]]));
  return parseInput(operation, { ...exampleOf(operation.name as never), ...planted }, RULES);
}

function secretsOf(input: OpenInput): string[] {
  const fields = Object.entries(input).filter(([field]) => Object.hasOwn(PLANTED, field));
  return fields.flatMap(([, value]) => (value instanceof Secret ? [value.open()] : []));
}

const FIELDS = [
  ...[
    "status",
    "response_status_id",
    "response_type_id",
    "message",
    "data",
    "invalid_params",
    "otp_ref_id",
    "reference_tid",
  ],
  ...["tid", "client_ref_id", "user_code", "otp_expiry_timestamp", "verified", "name", "reason", "description", "otp"],
  ...["code", "timestamp", "transaction_id", "sub_code", "detail", "reference_id", "maskedNumber", "masked_aadhaar"],
  ...["aadhaar_linked_mobile_match", "initiator_id", "__proto__", "constructor"],
];
const CODES = [
  0, 1, -1, -2, 17, 97, 300, 302, 303, 308, 309, 319, 346, 347, 461, 544, 585, 1388, 1600, 1604, 1623, 1632,
];
const MORE_CODES = [2129, 2131, 2132, 2134, 2136, 2138, 2147, 200, 400, 401, 409, 422, 429, 500, 503];
const TEXTS = [
  "SUCCESS",
  "INVALID_INPUT",
  "VERIFICATION_PENDING",
  "SOURCE_FAILURE",
  "Validate the OTP",
  "Yes",
  "29756208",
];

/** Envelope-like replies with the secrets of the input anywhere in them, whole or within other text, as text or number. */
function anyReply(secrets: readonly string[]): fc.Arbitrary<HttpReply> {
  const secret = fc.constantFrom(...secrets);
  const numeric = secrets.filter((text) => /^[1-9]\d+$/.test(text)).map(Number);
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(...CODES, ...MORE_CODES, ...CODES.map(String), ...TEXTS, null, true, false),
    secret,
    fc.tuple(fc.string(), secret, fc.string()).map((parts) => parts.join("")),
    secret.map((text) => text.toUpperCase().replaceAll(/\W/g, "_")),
    fc.constantFrom(...numeric, 0),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const field = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...FIELDS) }, fc.string({ maxLength: 10 }));
  const object = fc.dictionary(field, leaf, { maxKeys: 8 });
  const value = fc.oneof({ weight: 3, arbitrary: leaf }, object, fc.array(object, { maxLength: 2 }));
  const record = fc.dictionary(field, value, { maxKeys: 10 });
  const json = fc.oneof({ weight: 5, arbitrary: record }, value).map((body) => JSON.stringify(body));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString());
  const text = fc.oneof(
    { weight: 6, arbitrary: json },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.oneof(fc.string({ unit: "binary" }), bytes, secret) },
    { weight: 1, arbitrary: json.chain((whole) => fc.nat(whole.length).map((end) => whole.slice(0, end))) },
  );
  const status = fc.oneof(fc.constant(200), fc.integer({ min: 100, max: 599 }));
  const headers = fc.dictionary(fc.constantFrom("retry-after", "date", "content-type"), fc.oneof(fc.string(), secret));
  const arrived = fc.record({ kind: fc.constant("reply" as const), status, headers, text });
  const cause = fc.constantFrom<NoReplyCause>(
    { kind: "timeout" },
    { kind: "too late" },
    { kind: "network", code: "ECONNREFUSED" },
    { kind: "malformed", code: "HPE_INVALID_CONSTANT" },
    { kind: "error", name: "HTTPParserError" },
  );
  const none = fc.record({ kind: fc.constant("none" as const), written: fc.boolean(), cause });
  return fc.oneof({ weight: 9, arbitrary: arrived }, { weight: 1, arbitrary: none });
}

describe("any reply", () => {
  it.each(OPERATIONS)(
    "of $name becomes an outcome, with nothing secret of the input outside of `personal`",
    (operation) => {
      const input = plantedInput(operation);
      const secrets = secretsOf(input);
      fc.assert(
        fc.property(anyReply(secrets), (answer) => {
          const outcome = operation.read(answer, input);
          expect(OUTCOME_KINDS).toContain(outcome.kind);
          const { personal, ...kept } = { personal: undefined, ...outcome };
          const text = JSON.stringify(kept).toLowerCase();
          for (const secret of secrets) expect(text).not.toContain(secret.toLowerCase());
          expect(() => JSON.stringify(personal ?? null)).not.toThrow();
          for (const value of Object.values(outcome.kind === "succeeded" ? outcome.result : {})) {
            expect(["string", "number", "boolean"].includes(typeof value) || value === null).toBe(true);
          }
        }),
        { numRuns: 3_000 },
      );
    },
  );

  it.each(OPERATIONS)("of $name that is huge or nests without end is read in no time", (operation) => {
    const input = plantedInput(operation);
    const bodies = [
      "[".repeat(1_000_000),
      '{"data":'.repeat(100_000) + "1" + "}".repeat(100_000),
      JSON.stringify({ status: 0, data: { otp_ref_id: "x".repeat(5_000_000), reference_id: "x".repeat(5_000_000) } }),
      `{"message":"${" ".repeat(5_000_000)}"}`,
    ];
    const begun = process.threadCpuUsage();
    for (const text of bodies) {
      expect(OUTCOME_KINDS).toContain(operation.read({ kind: "reply", status: 200, headers: {}, text }, input).kind);
    }
    // What it takes by itself, however busy the machine is.
    const { user, system } = process.threadCpuUsage(begun);
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });
});
