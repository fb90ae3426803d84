import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { faultsOf } from "../../lint/lua-report.ts";
import { SCRIPTS } from "../../lint/lua-scripts.ts";
import type { LuaOrigin } from "../../src/redis/lua-source.ts";
import { LuaPart } from "../../src/redis/lua-source.ts";
import { usedLines } from "../../src/redis/lua-used.ts";
import { LuaScript } from "../../src/redis/script.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** A script of these lines, as if it stood in this file. */
function scriptOf(lines: readonly string[], file = "planted.lua"): LuaOrigin[] {
  return lines.map((text, index) => ({ file, line: index + 1, text }));
}

const PLANTED: readonly (readonly [what: string, lines: readonly string[], fault: string])[] = [
  ["a syntax error", ["local a = 1", "return a +"], "planted.lua:2: <expression> expected near"],
  ["what only a later Lua knows", ["goto out"], "planted.lua:1: "],
  ["a name with a slip in it", ["return reddis.call('GET', KEYS[1])"], "planted.lua:1: reddis is neither local nor"],
  ["what Redis does not let a script see", ["return os.time()"], "planted.lua:1: os is neither local nor"],
  ["an assignment without local", ["found = 1", "return 1"], "planted.lua:1: found is global"],
  ["a function without local", ["function find() return 1 end"], "planted.lua:1: find is global"],
  ["a variable that nobody reads", ["local found = 1", "return 1"], "planted.lua:1: found is never used"],
  [
    "a parameter that nobody reads",
    ["local function f(one, other) return one end", "return f(1)"],
    "other is never used",
  ],
  [
    "two functions of one name",
    ["local function f() end", "f()", "local function f() end", "f()"],
    "planted.lua:3: f is declared twice",
  ],
  ["an error without text", ["error({code=1})"], "planted.lua:1: an error raised as a table without the text `err`"],
  [
    "an error with a text of nil",
    ["error({err=nil})"],
    "planted.lua:1: an error raised as a table without the text `err`",
  ],
  ["a clock of its own", ["return redis.call('TIME')"], "planted.lua:1: only clock.lua asks for the time"],
  [
    "more variables from outside than Lua allows",
    [
      ...Array.from({ length: 61 }, (_, n) => `local v${n} = ${n}`),
      `return (function() return ${Array.from({ length: 61 }, (_, n) => `v${n}`).join(" + ")} end)()`,
    ],
    "planted.lua:62: a function takes 61 variables from outside",
  ],
];

describe("the check of the Lua scripts", () => {
  it.each(PLANTED)("finds %s", (_, lines, fault) => {
    const faults = faultsOf([scriptOf(lines)], []);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
  });

  it.each([
    ["locals of every kind", ["local function f(a, ...) for i = 1, a do return i, ... end end", "return f(KEYS[1])"]],
    ["a repeat that looks at what it holds", ["repeat local done = redis.call('GET', 'k') until done"]],
    ["an error with its text", ["error({err='ERR no'})"]],
    ["what is not needed and says so", ["for _ = 1, 2 do redis.call('INCR', 'k') end"]],
  ])("is silent about %s", (_, lines) => {
    expect(faultsOf([scriptOf(lines)], [])).toEqual([]);
  });

  it("says nothing of a function that another script uses, and of a file that is in no script", () => {
    const shared = scriptOf(["local function f() return 1 end"], "shared.lua");
    expect(faultsOf([[...shared, ...scriptOf(["return f()"])], shared], [])).toEqual([]);
    expect(faultsOf([shared], ["shared.lua", "lonely.lua"])).toEqual([
      "lonely.lua:1: in no script",
      "shared.lua:1: f is never used",
    ]);
  });

  it("finds nothing in ours, once each of them is spoiled finds that", () => {
    const scripts = Object.values(SCRIPTS).map(({ lines }) => lines);
    expect(faultsOf(scripts, [])).toEqual([]);
    for (const [name, { lines }] of Object.entries(SCRIPTS))
      expect(faultsOf([[...scriptOf(["spoiled = 1"]), ...lines]], []).join("\n"), name).toContain("spoiled is global");
  });
});

describe("a Lua file", () => {
  it("is a clear error at start where it is missing, or takes other constants than its TypeScript gives", async () => {
    await using dir = await makeTempDir();
    const url = pathToFileURL(join(dir.path, "one.lua"));
    expect(() => new LuaPart(url)).toThrow(/one\.lua is missing: this installation is incomplete/);
    await writeFile(url, "-- constants: ONE, TWO\nreturn ONE + TWO\n");
    expect(() => new LuaPart(url, { constants: { ONE: 1 } })).toThrow(/takes constants that it is not given: TWO/);
    const constants = { ONE: 1, TWO: 2, THREE: 3 };
    expect(() => new LuaPart(url, { constants })).toThrow(/is given constants that it does not declare: THREE/);
  });

  it("goes to Redis without comments, behind what it needs, each part once, with its constants and arguments", async () => {
    await using dir = await makeTempDir();
    const file = (name: string) => pathToFileURL(join(dir.path, name));
    await writeFile(
      file("base.lua"),
      "-- Says it.\n-- constants: TEXT, SET, LIST\n\nlocal function say() return TEXT end\n",
    );
    await writeFile(file("more.lua"), "local function more() return say() end\n");
    await writeFile(file("main.lua"), "row(ROWS)\nreturn {say(), more(), id, ms, is_on, a, b} -- all\n");
    const base = new LuaPart(file("base.lua"), {
      constants: { TEXT: "it's \\", SET: new Set(["a", "b-c"]), LIST: ["x", 2] },
    });
    const more = new LuaPart(file("more.lua"), { needs: [base] });
    const script = new LuaScript(file("main.lua"), {
      needs: [base, more],
      args: { id: "text", ms: "number", is_on: "flag" },
      row: { a: "text?", b: "number?" },
    });
    expect(script.lines.map(({ text }) => text)).toEqual([
      String.raw`local TEXT = 'it\'s \\'`,
      "local SET = {['a']=true, ['b-c']=true}",
      "local LIST = {'x', 2}",
      "local function say() return TEXT end",
      "local function more() return say() end",
      "local id = ARGV[1]",
      "local ms = tonumber(ARGV[2])",
      "local is_on = ARGV[3] == '1'",
      "local ROWS = (#ARGV - 3) / 2",
      "local a, b",
      "local function row(n)",
      "  a, b = unpack(ARGV, 3 + n * 2 - 1, 3 + n * 2)",
      "  b = tonumber(b)",
      "end",
      "row(ROWS)",
      "return {say(), more(), id, ms, is_on, a, b} -- all",
    ]);
  });

  it("is sent without what the script never comes to, and whole where a value is made by calling something", () => {
    const parts = [
      ...["local LEFT = {", "  a=1,", "}", "local function never(x)", "  return LEFT[x]", "end"],
      ...["local NAMED = 2", "local made = redis.call('TIME')", "local function helper()", "  return NAMED", "end"],
      ...["local one, other", "local function used()", "  one = helper()", "end", "local quoted = 'never'"],
    ];
    const own = ["used()", "if KEYS[1] then", "  return quoted", "else", "  return one", "end"];
    const kept = usedLines(scriptOf([...parts, ...own])).map(({ text }) => text);
    expect(kept).toEqual([...parts.slice(6), ...own]);
  });

  it("is sent with all that it uses, of every script", () => {
    expect(
      faultsOf(
        Object.values(SCRIPTS).map(({ sent }) => sent),
        [],
      ),
    ).toEqual([]);
    const lengths = (lines: readonly LuaOrigin[]): number => lines.length;
    expect(lengths(SCRIPTS["GIVE_BACK"]?.sent ?? [])).toBeLessThan(0.1 * lengths(SCRIPTS["GIVE_BACK"]?.lines ?? []));
  });
});
