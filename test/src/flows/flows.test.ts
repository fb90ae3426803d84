import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { ErrorCode } from "../../../src/base/error.ts";
import { END, type Flow, type Step } from "../../../src/flows/flow.ts";
import { findFlow, FLOWS } from "../../../src/flows/flows.ts";
import { inputJsonSchema } from "../../../src/operations/accepted-input.ts";
import { findOperation } from "../../../src/operations/catalogue.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";

const DOOR = { now: Date.UTC(2026, 10, 1), aadhaarChecksum: false };

function stepsOf(flow: Flow): [string, Step][] {
  return Object.entries(flow.steps);
}

/** The fields that an input of this flow cannot lack, in its order; of `exactlyOne` fields none is among them. */
function requiredFieldsOf({ input }: Flow): string[] {
  return Object.entries<z.ZodType>(input.shape)
    .filter(([, schema]) => !schema.safeParse(undefined).success)
    .map(([field]) => field);
}

/** Fields of a step's input that nobody has to give: what people read out, what the steps before give, what is always the same. */
function derived(step: Step): Set<string> {
  const { of } = findOperation(step.operation);
  const linked =
    step.code === "of" && of !== undefined
      ? Object.entries(of.takes).flatMap(([field, from]) =>
          typeof from === "object" && "input" in from ? [] : [field],
        )
      : [];
  const code = step.code === undefined ? [] : ["otp"];
  return new Set([...linked, ...code, ...(step.newest ?? []), ...Object.keys(step.fixed ?? {})]);
}

describe.each(FLOWS.map((flow) => [flow.name, flow] as const))("the flow %s", (_name, flow) => {
  it("takes what its steps take and none of them gives, each field as its operation has it", () => {
    const fields = new Map<string, unknown>();
    for (const [, step] of stepsOf(flow)) {
      const given = derived(step);
      for (const [field, schema] of Object.entries(findOperation(step.operation).input.shape)) {
        if (!given.has(field)) fields.set(field, fields.get(field) ?? schema);
      }
    }
    expect(Object.keys(flow.input.shape).toSorted()).toEqual([...fields.keys()].toSorted());
  });

  it("leads from its first step to its end, on every way, and calls its own provider", () => {
    const reached = new Set<string>();
    const open = [flow.first];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (reached.has(name) || name === END) continue;
      reached.add(name);
      const step = flow.steps[name];
      expect(step, name).toBeDefined();
      expect(step?.next.at(-1)?.when, `${name} goes somewhere, whatever its result`).toBeUndefined();
      open.push(...(step?.next.map(({ go }) => go) ?? []));
    }
    expect([...reached].toSorted()).toEqual(Object.keys(flow.steps).toSorted());
    for (const [name, { operation }] of stepsOf(flow)) {
      expect(name).toMatch(/^[a-z][a-z-]{0,15}$/);
      expect(findOperation(operation).provider).toBe(flow.provider);
    }
  });

  it("never goes back to a step, so that it ends", () => {
    const walk = (name: string, before: readonly string[]): void => {
      if (name === END) return;
      expect(before).not.toContain(name);
      for (const { go } of flow.steps[name]?.next ?? []) walk(go, [...before, name]);
    };
    walk(flow.first, []);
  });

  it("takes its own example, and has a schema that names what it needs", () => {
    expect(() => parseInput(flow, flow.example, DOOR)).not.toThrow();
    expect(inputJsonSchema(flow)).toMatchObject({ title: flow.name, required: requiredFieldsOf(flow) });
    for (const field of requiredFieldsOf(flow)) {
      const lacking = Object.fromEntries(Object.entries(flow.example).filter(([name]) => name !== field));
      expect(() => parseInput(flow, lacking, DOOR)).toThrow(field);
    }
  });
});

describe("findFlow", () => {
  it("names what may have been meant, and repeats nothing that is no name", () => {
    expect(findFlow("eko.mobile").provider).toBe("eko");
    expect(() => findFlow("eko.mobil")).toThrow("unknown flow eko.mobil: did you mean eko.mobile?");
    expect(() => findFlow("9876543210")).toThrow(/^unknown flow: there are /);
    expect(() => findFlow("x")).toThrow(expect.objectContaining({ code: ErrorCode.UNKNOWN_FLOW }));
  });
});
