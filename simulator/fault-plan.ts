import type { Draw } from "./draw.ts";
import { ENDINGS } from "./endings.ts";
import { FaultRule, type SimulatedStep } from "./fault.ts";

/** The call that a fault may strike. */
export interface StruckCall {
  readonly operation: string;
  readonly step: SimulatedStep;
  /** Aadhaar and mobile number, as far as the call names them or its OTP was sent to them; Aadhaar first. */
  readonly persons: readonly string[];
}

const ENDING_RULES: ReadonlyMap<string, FaultRule> = new Map(
  ENDINGS.flatMap(({ digits, steps, fault, times }) =>
    fault === null
      ? []
      : [[digits, FaultRule.parse({ fault, match: digits, steps, times, per: "person" })] as [string, FaultRule]],
  ),
);

/** Chooses the fault of each call: the configured rules first, in their order, then the person's ending. */
export class FaultPlan {
  readonly #rules: readonly FaultRule[];
  readonly #endings: boolean;
  readonly #draw: Draw;
  readonly #counts = new Map<FaultRule, Map<string, number>>();

  constructor(rules: readonly FaultRule[], endings: boolean, draw: Draw) {
    this.#rules = rules;
    this.#endings = endings;
    this.#draw = draw;
  }

  choose(call: StruckCall): FaultRule | null {
    for (const rule of this.#rules) if (this.#strikes(rule, call)) return rule;
    if (!this.#endings) return null;
    for (const person of call.persons) {
      const rule = ENDING_RULES.get(person.slice(-3));
      if (rule !== undefined && this.#strikes(rule, call)) return rule;
    }
    return null;
  }

  #strikes(rule: FaultRule, call: StruckCall): boolean {
    const { match, times, every, probability } = rule;
    if (rule.operation !== undefined && !names(rule.operation, call.operation)) return false;
    if (rule.steps !== undefined && !rule.steps.includes(call.step)) return false;
    const person = match === undefined ? call.persons[0] : call.persons.find((number) => number.endsWith(match));
    if (match !== undefined && person === undefined) return false;
    const count = this.#count(rule, rule.per === "person" ? `${call.operation} ${person}` : "");
    if (times !== undefined && count > times) return false;
    if (every !== undefined && count % every !== 0) return false;
    return probability === undefined || this.#draw.random() < probability;
  }

  #count(rule: FaultRule, key: string): number {
    let counts = this.#counts.get(rule);
    if (counts === undefined) this.#counts.set(rule, (counts = new Map<string, number>()));
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  }
}

function names(pattern: string, operation: string): boolean {
  return pattern.endsWith(".") ? operation.startsWith(pattern) : operation === pattern;
}
