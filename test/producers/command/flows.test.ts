import { PassThrough } from "node:stream";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { defineFlows } from "../../../producers/command/flows.ts";
import type { CommandContext } from "../../../src/command/context.ts";
import { FLOWS } from "../../../src/flows/flows.ts";

async function flows(...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  const command = new Command("flows");
  defineFlows(command, { stdout } as unknown as CommandContext);
  await command.parseAsync(args, { from: "user" });
  return String(stdout.read());
}

describe("satyapan flows", () => {
  it("lists every flow, and says how to see more", async () => {
    const text = await flows();
    for (const { name } of FLOWS) expect(text).toMatch(new RegExp(`^${name.replaceAll(".", "\\.")} +\\S`, "m"));
    expect(JSON.parse(await flows("--json"))).toHaveLength(FLOWS.length);
  });

  it("shows one with its steps, where a person is awaited, and its input", async () => {
    const text = await flows("eko.mobile");
    expect(text).toMatch(/^verify +eko\.mobile-otp\.verify +a person's code +done$/m);
    expect(JSON.parse(await flows("eko.mobile", "--json"))).toMatchObject({
      ...{ name: "eko.mobile", provider: "eko", first: "send" },
      input: { required: ["mobile", "csp_id"] },
    });
  });
});
