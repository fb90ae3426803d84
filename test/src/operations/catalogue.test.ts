import { readdirSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, expectTypeOf, it } from "vitest";
import { SatyapanError } from "../../../src/base/error.ts";
import { acceptedInput, inputJsonSchema } from "../../../src/operations/accepted-input.ts";
import {
  findOperation,
  type InputOf,
  OPERATION_NAMES,
  type OperationName,
  OPERATIONS,
} from "../../../src/operations/catalogue.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";
import { resolveOf } from "../../../src/operations/resolve-of.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { RULES } from "./bundle.ts";

const FOLDER = new URL("../../../src/operations/", import.meta.url);

describe("the catalogue", () => {
  it("has each operation of design §2, in one file of its name and one line of the list", () => {
    const files = readdirSync(FOLDER).filter((file) => /^(?:eko|deepvue)\./.test(file));
    expect(files.toSorted()).toEqual(OPERATION_NAMES.map((name) => `${name}.ts`).toSorted());
    expect(OPERATION_NAMES).toEqual([
      "deepvue.aadhaar-otp",
      "deepvue.aadhaar-otp.verify",
      "eko.aeps-fingpay.ekyc-otp",
      "eko.aeps-fingpay.ekyc-otp.verify",
      "eko.dmt-levin.aadhaar-otp",
      "eko.dmt-levin.aadhaar-otp.verify",
      "eko.dmt-levin.sender",
      "eko.dmt-levin.sender.create",
      "eko.mobile-otp",
      "eko.mobile-otp.verify",
    ]);
  });

  it("declares each operation under the name of its file", async () => {
    for (const name of OPERATION_NAMES) {
      const module = (await import(new URL(`${name}.ts`, FOLDER).href)) as Record<string, { name: string }>;
      expect(Object.values(module).map((exported) => exported.name)).toEqual([name]);
    }
  });

  it.each(OPERATIONS)(
    "$name has the policies of design §3 for its step",
    ({ name, provider, step, of, afterUnknown }) => {
      expect(name.startsWith(`${provider}.`)).toBe(true);
      expect(step === "verify").toBe(name.endsWith(".verify"));
      expect(of?.send).toBe(step === "verify" ? name.slice(0, -".verify".length) : undefined);
      const resend = provider === "deepvue" && step === "send" ? "resend-after-cooldown" : "stop";
      expect(afterUnknown).toBe(step === "read" ? "repeat" : resend);
    },
  );

  it.each(OPERATIONS)("$name takes from its send only fields that both have", ({ name, input, of }) => {
    if (of === undefined) return;
    const send = findOperation(of.send);
    for (const [field, from] of Object.entries(of.takes)) {
      expect(input.shape, name).toHaveProperty(field);
      if (typeof from === "object" && "input" in from) expect(send.input.shape).toHaveProperty(from.input);
    }
  });

  it.each(OPERATIONS)("$name accepts its example, and what is stored of it once more", (operation) => {
    const parsed = parseInput(operation, operation.example, RULES);
    const stored = Object.fromEntries(
      Object.entries(parsed).map(([field, value]) => [field, value instanceof Secret ? value.open() : value]),
    );
    const again = operation.input.parse(stored);
    expect(again).toEqual(parsed);
    for (const [field, value] of Object.entries(parsed)) {
      if (value instanceof Secret) expect(again[field]).toSatisfy((other: Secret) => other.open() === value.open());
    }
  });

  it.each(OPERATIONS)(
    "$name describes its input as JSON Schema, which accepts the example and no other field",
    (operation) => {
      const schema = inputJsonSchema(operation);
      const ajv = new Ajv2020({ strict: false });
      addFormats.default(ajv);
      const validate = ajv.compile(schema);
      expect(validate(operation.example), JSON.stringify(validate.errors)).toBe(true);
      expect(validate({ ...operation.example, surprise: 1 })).toBe(false);
      expect(validate({})).toBe(false);
      if (operation.of !== undefined) expect(validate({ of: "a-job", otp: "123456" })).toBe(true);
    },
  );

  it.each(OPERATIONS)("$name says in its JSON Schema which fields are sealed", (operation) => {
    const { properties } = inputJsonSchema(operation) as { properties: Record<string, { sealed?: true }> };
    const parsed = parseInput(operation, operation.example, RULES);
    for (const [field, value] of Object.entries(parsed)) {
      expect(properties[field]?.sealed === true, field).toBe(value instanceof Secret);
    }
  });

  it.each([findOperation("eko.aeps-fingpay.ekyc-otp"), findOperation("eko.aeps-fingpay.ekyc-otp.verify")])(
    "$name asks in its JSON Schema for exactly one of two alternatives",
    (operation) => {
      const validate = new Ajv2020({ strict: false }).compile(inputJsonSchema(operation));
      const { aadhaar, ...rest } = operation.example;
      const encrypted = "A".repeat(172);
      expect(validate({ ...rest, aadhaar })).toBe(true);
      expect(validate({ ...rest, aadhaar_encrypted: encrypted })).toBe(true);
      expect(validate(rest)).toBe(false);
      expect(validate({ ...rest, aadhaar, aadhaar_encrypted: encrypted })).toBe(false);
    },
  );

  it("types an input by its operation's name, and leaves to `of` what it supplies", () => {
    expectTypeOf<InputOf<"deepvue.aadhaar-otp">["aadhaar"]>().toEqualTypeOf<string>();
    expectTypeOf<InputOf<"deepvue.aadhaar-otp">["consent"]["obtained_at"]>().toEqualTypeOf<string>();
    expectTypeOf<{ of: string; otp: string }>().toExtend<InputOf<"deepvue.aadhaar-otp.verify">>();
    expectTypeOf<{ of: string; otp: string }>().toExtend<InputOf<"eko.aeps-fingpay.ekyc-otp.verify">>();
    expectTypeOf<{ of: string }>().not.toExtend<InputOf<"eko.mobile-otp.verify">>();
    expectTypeOf<{ mobile: string }>().not.toExtend<InputOf<"eko.mobile-otp">>();
    expectTypeOf<InputOf<"eko.mobile-otp">>().not.toHaveProperty("of");
    expectTypeOf<"eko.mobile-otp">().toExtend<OperationName>();
    expectTypeOf<string>().not.toExtend<OperationName>();
  });
});

describe("findOperation", () => {
  it("names what may have been meant", () => {
    const failed = (name: string): SatyapanError => {
      try {
        throw new Error(findOperation(name).name);
      } catch (error) {
        if (error instanceof SatyapanError) return error;
        throw error;
      }
    };
    expect(failed("eko.mobile-opt")).toMatchObject({
      code: "unknown-operation",
      message: "unknown operation eko.mobile-opt: did you mean eko.mobile-otp?",
    });
    expect(failed("deepvue.aadhar-otp").message).toContain("did you mean deepvue.aadhaar-otp");
    expect(failed("pan").message).toContain("there are deepvue.aadhaar-otp, ");
    expect(failed("constructor").message).toContain("unknown operation constructor: there are");
    expect(failed("9999 9999 0019").message).toMatch(/^unknown operation: there are/);
    expect(failed("x".repeat(100_000)).message.length).toBeLessThan(500);
  });
});

describe("acceptedInput and resolveOf", () => {
  it("leave an operation that is no verify as it is", () => {
    const operation = findOperation("eko.mobile-otp");
    expect(acceptedInput(operation)).toBe(operation.input);
    const sent = { input: {}, result: {}, clientRefId: "r" };
    expect(resolveOf(operation, { mobile: "9876543210" }, sent)).toEqual({ mobile: "9876543210" });
  });
});
