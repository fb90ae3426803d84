import luaparse, { type CallExpression, type Expression, type FunctionDeclaration, type Statement } from "luaparse";
import type { LuaOrigin } from "../src/redis/lua-source.ts";
import { type LuaLocal, LuaScope } from "./lua-scope.ts";

/** What Redis lets a script see (7.0: nothing else is there, and an access to it fails the script). */
const GLOBALS = new Set([
  ...["redis", "cjson", "cmsgpack", "bit", "struct", "KEYS", "ARGV"],
  ...["assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawset", "select"],
  ...["setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall", "coroutine", "math", "string", "table"],
]);
/** The limits of Lua 5.1: local variables of one function, and variables that a function takes from outside. */
const MOST_LOCALS = 200;
const MOST_UPVALUES = 60;
/** The one that asks Redis for its time, so that tests can set it. */
const CLOCK_FILE = "clock.lua";
/** Written for every script with rows. */
const WRITTEN = new Set(["ROWS", "row"]);

export interface LuaFault {
  /** The line of the script, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface LuaChecked {
  readonly faults: readonly LuaFault[];
  /** Functions and constants of a part may be used in another script. */
  readonly locals: readonly LuaLocal[];
}

/** One script as Redis gets it. */
export function checkScript(lines: readonly LuaOrigin[]): LuaChecked {
  try {
    const source = lines.map(({ text }) => text).join("\n");
    return new Checker(lines).check(luaparse.parse(source, { luaVersion: "5.1", locations: true }).body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const line = Number(/^\[(\d+):/.exec(error.message)?.[1] ?? 1);
    return { faults: [{ line, text: error.message.replace(/^\[\d+:\d+\] /, "") }], locals: [] };
  }
}

class Checker {
  readonly #lines: readonly LuaOrigin[];
  readonly #faults: LuaFault[] = [];
  readonly #locals: LuaLocal[] = [];

  constructor(lines: readonly LuaOrigin[]) {
    this.#lines = lines;
  }

  check(body: readonly Statement[]): LuaChecked {
    this.#block(body, LuaScope.root());
    return { faults: this.#faults, locals: this.#locals.filter(({ name }) => !WRITTEN.has(name)) };
  }

  #fault(node: Statement | Expression, text: string): void {
    this.#faults.push({ line: node.loc?.start.line ?? 1, text });
  }

  #declare(scope: LuaScope, names: readonly (Expression | { readonly type: "VarargLiteral" })[]): void {
    for (const node of names) {
      if (node.type !== "Identifier") continue;
      if (scope.isRoot && scope.has(node.name)) this.#fault(node, `${node.name} is declared twice`);
      const local = scope.declare(node.name, node.loc?.start.line ?? 1);
      if (!node.name.startsWith("_")) this.#locals.push(local);
    }
  }

  #block(body: readonly Statement[], scope: LuaScope): void {
    let locals = 0;
    for (const statement of body) {
      if (statement.type === "LocalStatement") locals += statement.variables.length;
      if (statement.type === "FunctionDeclaration" && statement.isLocal) locals += 1;
      this.#statement(statement, scope);
    }
    const last = body.at(-1);
    if (locals > MOST_LOCALS && last !== undefined)
      this.#fault(last, `${locals} local variables in one place: Lua allows ${MOST_LOCALS}`);
  }

  #statement(node: Statement, scope: LuaScope): void {
    switch (node.type) {
      case "LocalStatement":
        this.#each(node.init, scope);
        this.#declare(scope, node.variables);
        return;
      case "AssignmentStatement":
        this.#each(node.init, scope);
        for (const target of node.variables) this.#target(target, scope);
        return;
      case "CallStatement":
        this.#expression(node.expression, scope);
        return;
      case "FunctionDeclaration":
        this.#function(node, scope);
        return;
      case "ReturnStatement":
        this.#each(node.arguments, scope);
        return;
      case "IfStatement":
        for (const clause of node.clauses) {
          if (clause.type !== "ElseClause") this.#expression(clause.condition, scope);
          this.#block(clause.body, scope.block());
        }
        return;
      case "WhileStatement":
        this.#expression(node.condition, scope);
        this.#block(node.body, scope.block());
        return;
      case "RepeatStatement": {
        const inner = scope.block();
        this.#block(node.body, inner);
        this.#expression(node.condition, inner);
        return;
      }
      case "ForNumericStatement":
        this.#each([node.start, node.end, ...(node.step === null ? [] : [node.step])], scope);
        this.#loop([node.variable], node.body, scope);
        return;
      case "ForGenericStatement":
        this.#each(node.iterators, scope);
        this.#loop(node.variables, node.body, scope);
        return;
      case "DoStatement":
        this.#block(node.body, scope.block());
        return;
      case "BreakStatement":
      case "LabelStatement":
      case "GotoStatement":
    }
  }

  #loop(variables: readonly Expression[], body: readonly Statement[], scope: LuaScope): void {
    const inner = scope.block();
    this.#declare(inner, variables);
    this.#block(body, inner);
  }

  #target(node: Expression, scope: LuaScope): void {
    if (node.type !== "Identifier") this.#expression(node, scope);
    else if (scope.find(node.name) === null)
      this.#fault(node, `${node.name} is global: it is assigned without \`local\``);
  }

  #function(node: FunctionDeclaration, scope: LuaScope): void {
    const { identifier } = node;
    if (identifier !== null && node.isLocal) this.#declare(scope, [identifier]);
    else if (identifier !== null) this.#target(identifier, scope);
    const inner = scope.function();
    this.#declare(inner, node.parameters);
    this.#block(node.body, inner);
    if (inner.upvalues > MOST_UPVALUES)
      this.#fault(node, `a function takes ${inner.upvalues} variables from outside: Lua allows ${MOST_UPVALUES}`);
  }

  #each(nodes: readonly Expression[], scope: LuaScope): void {
    for (const node of nodes) this.#expression(node, scope);
  }

  #expression(node: Expression, scope: LuaScope): void {
    switch (node.type) {
      case "Identifier": {
        const local = scope.find(node.name);
        if (local !== null) local.used = true;
        else if (!GLOBALS.has(node.name)) this.#fault(node, `${node.name} is neither local nor one of Redis' globals`);
        return;
      }
      case "FunctionDeclaration":
        this.#function(node, scope);
        return;
      case "BinaryExpression":
      case "LogicalExpression":
        this.#each([node.left, node.right], scope);
        return;
      case "UnaryExpression":
        this.#expression(node.argument, scope);
        return;
      case "MemberExpression":
        this.#expression(node.base, scope);
        return;
      case "IndexExpression":
        this.#each([node.base, node.index], scope);
        return;
      case "CallExpression":
        this.#each([node.base, ...node.arguments], scope);
        this.#call(node);
        return;
      case "TableCallExpression":
        this.#each([node.base, node.arguments], scope);
        this.#raise(node.base, node.arguments);
        return;
      case "StringCallExpression":
        this.#each([node.base, node.argument], scope);
        return;
      case "TableConstructorExpression":
        for (const field of node.fields)
          this.#each(field.type === "TableKey" ? [field.key, field.value] : [field.value], scope);
        return;
      case "StringLiteral":
      case "NumericLiteral":
      case "BooleanLiteral":
      case "NilLiteral":
      case "VarargLiteral":
    }
  }

  #call(node: CallExpression): void {
    const [first] = node.arguments;
    if (first === undefined) return;
    this.#raise(node.base, first);
    const isTime = first.type === "StringLiteral" && /^["']TIME["']$/i.test(first.raw);
    const file = this.#lines[(node.loc?.start.line ?? 1) - 1]?.file ?? "";
    if (isTime && !file.endsWith(CLOCK_FILE)) this.#fault(node, `only ${CLOCK_FILE} asks for the time: use clock()`);
  }

  /** Redis 7.0.15 dies of an error without text. */
  #raise(base: Expression, thrown: Expression): void {
    if (base.type !== "Identifier" || base.name !== "error") return;
    if (thrown.type === "NilLiteral") this.#fault(thrown, "error(nil) kills Redis 7.0");
    if (thrown.type !== "TableConstructorExpression") return;
    const err = thrown.fields.find((field) => field.type === "TableKeyString" && field.key.name === "err");
    if (err === undefined || err.value.type === "NilLiteral")
      this.#fault(thrown, "an error raised as a table without the text `err` kills Redis 7.0");
  }
}
