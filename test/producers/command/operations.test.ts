import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readdirSync } from "node:fs";
import { PassThrough } from "node:stream";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { defineOperations } from "../../../producers/command/operations.ts";
import { type CommandContext, ExitCode } from "../../../src/command/context.ts";
import { OPERATION_NAMES } from "../../../src/operations/catalogue.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

/** What the command prints; it needs nothing but a place to print to. */
async function operations(...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  const context = { stdout } as unknown as CommandContext;
  const command = new Command("operations");
  defineOperations(command, context);
  await command.parseAsync(args, { from: "user" });
  return String(stdout.read());
}

interface Described {
  readonly name: string;
  readonly provider: string;
  readonly step: string;
  readonly of?: string;
  readonly example: Readonly<Record<string, unknown>>;
  readonly input: Readonly<Record<string, unknown>>;
}

describe("satyapan operations", () => {
  it("lists every operation, and says how to see more", async () => {
    const text = await operations();
    for (const name of OPERATION_NAMES) expect(text).toMatch(new RegExp(`^${name.replaceAll(".", "\\.")} +\\S`, "m"));
    expect(text).toMatch(/`satyapan operations NAME` shows an operation's input\.\n$/);
    const list = JSON.parse(await operations("--json")) as Described[];
    expect(list.map(({ name }) => name)).toEqual(OPERATION_NAMES);
    expect(list[0]).toMatchObject({ provider: "deepvue", step: "send", after_unknown: "resend-after-cooldown" });
  });

  it.each(OPERATION_NAMES)(
    "gives %s's input as JSON Schema, which its example meets and an extra field does not",
    async (name) => {
      const { example, input, of } = JSON.parse(await operations(name, "--json")) as Described;
      const ajv = new Ajv2020({ strict: true, strictRequired: false });
      addFormats.default(ajv);
      ajv.addKeyword("sealed");
      const validate = ajv.compile(input);
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
      expect(validate({ ...example, extra: 1 })).toBe(false);
      expect(validate({})).toBe(false);
      if (of !== undefined) expect(validate({ of: "order-1", otp: "123456", ...needed(name) })).toBe(true);
    },
  );

  it("shows a command to copy, and for a verify the one with `of`", async () => {
    const text = await operations("eko.mobile-otp.verify");
    expect(text).toMatch(/^ {2}satyapan submit eko\.mobile-otp\.verify --input '\{"mobile":.*'$/m);
    expect(text).toMatch(/^ {2}satyapan submit eko\.mobile-otp\.verify --input '\{"of":"JOB-ID","otp":"123456"\}'$/m);
    expect(text).toContain('"$schema": "https://json-schema.org/draft/2020-12/schema"');
  });

  it("needs no settings and no Redis, and leaves nothing in the folder; what is misspelt is told in one line", async () => {
    await using dir = await makeTempDir();
    const place = { cwd: dir.path, env: { REDIS_URL: "nonsense" } };
    const listed = await satyapan(["operations", "--json"], place);
    expect(listed).toMatchObject({ code: ExitCode.DONE, stderr: "" });
    expect(JSON.parse(listed.stdout)).toHaveLength(OPERATION_NAMES.length);
    expect(await satyapan(["operations", "eko.mobile-opt"], place)).toMatchObject({
      code: ExitCode.WRONG_USE,
      stdout: "",
      stderr: "satyapan: unknown operation eko.mobile-opt: did you mean eko.mobile-otp?\n",
    });
    expect(readdirSync(dir.path)).toEqual([]);
  });

  /** What a verify takes that its send does not have. */
  function needed(name: string): Readonly<Record<string, unknown>> {
    return name.startsWith("eko.aeps") ? { latlong: "28.6139,77.2090" } : {};
  }
});
