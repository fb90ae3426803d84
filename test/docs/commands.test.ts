import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { commandOf, COMMANDS } from "../../bin/commands.ts";
import type { CommandContext } from "../../src/command/context.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGES = globSync(["*.md", "docs/**/*.md", "deploy/**/*.md"], { cwd: ROOT });
/** A command as pages write it: its first word, and what stands behind it up to the end of the line or of the code. */
const WRITTEN = /\bsatyapan ([a-z][a-z-]*)([^`\n|#]*)/g;

let program: Command;
beforeAll(async () => {
  program = new Command("satyapan");
  for (const { name, load } of COMMANDS) (await load())(program.command(name), {} as CommandContext);
});

/** What is wrong with one that is written so; null: nothing. */
function problemOf(name: string, rest: string): string | null {
  const words = rest.trim().split(/\s+/);
  const { command } = commandOf(program, [name, ...words]);
  if (command === program) return null; // a sentence: "satyapan is"
  const own = command.commands.length > 0 && command.registeredArguments.length === 0;
  if (own && /^[a-z]+$/.test(words[0] ?? "")) return `satyapan ${name} has no command ${words[0]}`;
  const flags = new Set([command, command.parent].flatMap((one) => one?.options.map(({ long }) => long) ?? []));
  const unknown = (rest.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []).filter(
    (flag) => !flags.has(flag) && flag !== "--help",
  );
  return unknown.length === 0 ? null : `satyapan ${name} ${words[0]} has no ${unknown.join(", ")}`;
}

describe("the commands that pages tell people to type", () => {
  it.each(PAGES)("are there, with their options: %s", (page) => {
    const written = [...readFileSync(`${ROOT}${page}`, "utf8").matchAll(WRITTEN)];
    const problems = written.map(([, name = "", rest = ""]) => problemOf(name, rest));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });

  it("would be told if they were not", () => {
    expect(problemOf("keys", " show")).toBe("satyapan keys has no command show");
    expect(problemOf("batch", " submit FILE --retry-for 60s")).toBe("satyapan batch submit has no --retry-for");
    expect(problemOf("batch", " submit FILE --flow eko.mobile")).toBeNull();
  });
});
