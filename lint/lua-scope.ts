import type { LuaOrigin } from "../src/redis/lua-source.ts";

/** A local variable, a parameter or a local function. */
export interface LuaLocal {
  readonly name: string;
  /** Line of the script, from 1. */
  readonly line: number;
  used: boolean;
}

/** One function: Lua counts what it holds itself and what it takes from outside. */
interface Frame {
  readonly outer: Frame | null;
  readonly taken: Set<LuaLocal>;
}

/** The variables that can be seen at one place of a script. */
export class LuaScope {
  readonly #outer: LuaScope | null;
  readonly #frame: Frame;
  readonly #locals = new Map<string, LuaLocal>();

  private constructor(outer: LuaScope | null, frame: Frame) {
    this.#outer = outer;
    this.#frame = frame;
  }

  static root(): LuaScope {
    return new LuaScope(null, { outer: null, taken: new Set() });
  }

  block(): LuaScope {
    return new LuaScope(this, this.#frame);
  }

  function(): LuaScope {
    return new LuaScope(this, { outer: this.#frame, taken: new Set() });
  }

  get isRoot(): boolean {
    return this.#outer === null;
  }

  /** Variables of outer functions that this one takes. */
  get upvalues(): number {
    return this.#frame.taken.size;
  }

  has(name: string): boolean {
    return this.#locals.has(name);
  }

  declare(name: string, line: number): LuaLocal {
    const local: LuaLocal = { name, line, used: false };
    this.#locals.set(name, local);
    return local;
  }

  /** Null: it is global. */
  find(name: string): LuaLocal | null {
    const owner = this.#ownerOf(name);
    const local = owner === null ? undefined : owner.#locals.get(name);
    return owner === null || local === undefined ? null : this.#taken(local, owner.#frame);
  }

  #ownerOf(name: string): LuaScope | null {
    if (this.#locals.has(name)) return this;
    const outer = this.#outer;
    return outer === null ? null : outer.#ownerOf(name);
  }

  /** Every function on the way out takes it. */
  #taken(local: LuaLocal, owner: Frame): LuaLocal {
    for (let frame: Frame | null = this.#frame; frame !== null && frame !== owner; frame = frame.outer)
      frame.taken.add(local);
    return local;
  }
}

/** `src/limits/gate/flow.lua:12`, or what TypeScript wrote for that file. */
export function placeOf({ file, line }: LuaOrigin): string {
  const path = file.slice(file.startsWith(process.cwd()) ? process.cwd().length + 1 : 0);
  return line === null ? `${path} (written by its TypeScript)` : `${path}:${line}`;
}
